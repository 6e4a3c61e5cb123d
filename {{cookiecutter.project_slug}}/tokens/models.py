"""One row for each login."""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import functions
from django.utils import timezone

from users.models import PrimaryManager, User


class Now(functions.Now):
    """The time of the database's clock, also on SQLite in the time zone that Django stores."""

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        zone = "" if settings.USE_TZ else ", 'localtime'"
        template = f"STRFTIME('%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%f', 'NOW'{zone})"
        return self.as_sql(compiler, connection, template=template, **context)


class LoginSessionQuerySet(models.QuerySet["LoginSession"]):
    def live(self) -> "LoginSessionQuerySet":
        """Return the sessions that are neither revoked nor expired."""
        return self.filter(revoked=None, expires__gt=timezone.now())

    def revoke(self) -> int:
        """End the sessions now, and return how many had not ended before."""
        return self.filter(revoked=None).update(revoked=timezone.now())


class LoginSession(models.Model):
    """A login on one device, until logout, theft or expiry.

    Neither a token is stored nor anything from which one could be made.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="login_sessions")
    # A hash of the user's password hash: when that changes, the session ends.
    auth_hash = models.CharField(max_length=64, editable=False)
    # The number of the current refresh token, and when it was created, by the database's clock.
    seq = models.PositiveIntegerField(default=0)
    rotated = models.DateTimeField()
    created = models.DateTimeField(default=timezone.now)
    # The absolute end, fixed at login.
    expires = models.DateTimeField(db_index=True)
    revoked = models.DateTimeField(null=True, blank=True)
    user_agent = models.CharField(max_length=255, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)

    objects = PrimaryManager.from_queryset(LoginSessionQuerySet)()

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.user} from {self.address or 'an unknown address'}"
