"""The two SQL statements of the hot path.

Every request runs them, and the ORM takes several times as long to compile a statement
as the database takes to run it. So they are compiled once per process. They do exactly
what the ORM calls in their docstrings do.
"""

from functools import cache
from typing import Any
from uuid import UUID

from django.db import connections, router
from django.db.models import F
from django.db.models.sql import UpdateQuery
from django.utils import timezone

from tokens.models import LoginSession, Now
from users.models import User

# What only the list of a user's sessions shows.
SHOWN = ("created", "rotated", "user_agent", "address")


def session_with_user(sid: UUID) -> LoginSession | None:
    """Return the session with its user, or None.

    Does what ``LoginSession.objects.select_related("user").filter(pk=sid).first()`` does,
    but defers what only the list of a user's sessions shows.
    """
    alias = router.db_for_write(LoginSession)
    sql, compiler, converters, names, names_of_user = _select(alias)
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(sql, [LoginSession._meta.pk.get_db_prep_value(sid, connection)])
        for values in compiler.apply_converters(cursor.fetchall(), converters):  # at most one
            session = LoginSession.from_db(alias, names, values[: len(names)])
            session.user = User.from_db(alias, names_of_user, values[len(names) :])
            return session
    return None


def advance(sid: UUID, seq: int) -> bool:
    """Increment ``seq`` if the session is live and still has this ``seq``.

    Does what ``LoginSession.objects.live().filter(pk=sid, seq=seq)`` with
    ``.update(seq=F("seq") + 1, rotated=Now())`` does. ``rotated`` is the time of the
    database, which all machines share. Returns whether there was such a session.
    """
    alias = router.db_for_write(LoginSession)
    connection = connections[alias]
    key = LoginSession._meta.pk.get_db_prep_value(sid, connection)
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_update(alias), [1, key, seq, now])
        return bool(cursor.rowcount == 1)


@cache
def _select(alias: str) -> tuple[Any, ...]:
    sessions = LoginSession.objects.using(alias).select_related("user").defer(*SHOWN)
    compiler = sessions.filter(pk=UUID(int=0)).order_by().query.get_compiler(alias)
    sql, _ = compiler.as_sql()
    cols: list[Any] = [column for column, *_ in compiler.select]
    names = [[c.target.attname for c in cols if c.target.model is m] for m in (LoginSession, User)]
    return sql, compiler, compiler.get_converters(cols), *names


@cache
def _update(alias: str) -> str:
    """Return the statement, whose parameters are the increment, the key, ``seq`` and now."""
    sessions = LoginSession.objects.using(alias).filter(pk=UUID(int=0), seq=0).live()
    query: Any = sessions.query.chain(UpdateQuery)
    query.add_update_values({"seq": F("seq") + 1, "rotated": Now()})
    sql, _ = query.get_compiler(alias).as_sql()
    return str(sql)
