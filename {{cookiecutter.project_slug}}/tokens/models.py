"""One row for each login."""

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connections, models
from django.utils import timezone

from users.models import User


class LoginSessionQuerySet(models.QuerySet["LoginSession"]):
    def live(self) -> "LoginSessionQuerySet":
        """Those that are neither revoked nor over."""
        return self.filter(revoked=None, expires__gt=timezone.now())

    def revoke(self) -> int:
        """Ends them at this moment; returns how many were not ended before."""
        return self.filter(revoked=None).update(revoked=timezone.now())

    # Every request comes through the next two, and the ORM takes several times as long
    # to compile a statement as the database takes to run it.

    def advance(self, sid: UUID, seq: int, now: datetime) -> bool:
        """Counts ``seq`` up if it is that still and the session is live.

        As ``live().filter(pk=sid, seq=seq).update(seq=F("seq") + 1, rotated=now)``.
        """
        connection = connections[self.db]
        key = LoginSession._meta.pk.get_db_prep_value(sid, connection)
        time = connection.ops.adapt_datetimefield_value(now)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE tokens_loginsession SET seq = seq + 1, rotated = %s "
                "WHERE id = %s AND seq = %s AND revoked IS NULL AND expires > %s",
                [time, key, seq, time],
            )
            return bool(cursor.rowcount == 1)

    def with_user(self, sid: UUID) -> "LoginSession | None":
        """The session ``sid`` and its ``user``.

        As ``select_related("user").filter(pk=sid).first()``, compiled once a process.
        """
        sql, compiler, converters = _with_user_plan(self.db)
        connection = connections[self.db]
        with connection.cursor() as cursor:
            key = LoginSession._meta.pk.get_db_prep_value(sid, connection)
            cursor.execute(sql, [key])
            row = cursor.fetchone()
        if row is None:
            return None
        values = next(iter(compiler.apply_converters([row], converters)))
        names = [field.attname for field in LoginSession._meta.concrete_fields]
        session = LoginSession.from_db(self.db, names, values[: len(names)])
        names_of_user = [field.attname for field in User._meta.concrete_fields]
        session.user = User.from_db(self.db, names_of_user, values[len(names) :])
        return session


@cache
def _with_user_plan(alias: str) -> tuple[str, Any, Any]:
    query = LoginSession.objects.using(alias).select_related("user")
    compiler = query.filter(pk=UUID(int=0)).order_by().query.get_compiler(alias)
    sql, _ = compiler.as_sql()
    columns = [column for column, *_ in compiler.select]
    return sql, compiler, compiler.get_converters(columns)


class LoginSession(models.Model):
    """A login on one device, from the password to logout, theft or its end.

    No token is stored, nor anything that one could be made from.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="login_sessions"
    )
    # Of the user's password hash: another one there ends the session.
    auth_hash = models.CharField(max_length=64, editable=False)
    # The number of the current refresh token, and when it was made.
    seq = models.PositiveIntegerField(default=0)
    rotated = models.DateTimeField()
    created = models.DateTimeField(default=timezone.now)
    # The absolute end, fixed at login.
    expires = models.DateTimeField(db_index=True)
    revoked = models.DateTimeField(null=True, blank=True)
    user_agent = models.CharField(max_length=255, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)

    objects = LoginSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.user} from {self.address or 'an unknown address'}"
