"""Login sessions: how they start, are refreshed, and end.

A session has the number of its current refresh token, ``seq``. A refresh is one UPDATE
that increments it if it is still the number in the token. So if any number of requests,
on any number of machines, use the same token, exactly one wins. The others see in the
row what has happened:

- Their token is the parent of the current one, which was created a moment ago
  (``REFRESH_GRACE_PERIOD``): a response was lost, or two tabs refreshed at once. They get
  the same successor, and nothing forks.
- Their token is older: somebody uses a copy. The whole session ends, for the thief and for
  the owner, who has to log in again (RFC 9700 section 4.14.2).

A session also ends when its user is deleted, disabled, or changes the password: it keeps
a hash of the password's hash, which is updated when the hasher is upgraded.
"""

import hashlib
import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.dispatch import receiver
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings

from tokens import lookup
from tokens.models import LoginSession, LoginSessionQuerySet, Now
from users.models import User, password_hash_upgraded

logger = logging.getLogger(__name__)

THEFT = "A used refresh token came back from %s: session %s of user %s is revoked"


class SessionEnded(TokenError):
    """The session has ended, or never existed."""


def start(
    user: User, *, address: str = "", user_agent: str = "", lifetime: timedelta | None = None
) -> LoginSession:
    """Start a session of ``user``, who has just proved who they are.

    It expires after ``lifetime``, or else after ``SESSION_LIFETIME``.
    """
    now = timezone.now()
    session: LoginSession = LoginSession.objects.create(
        user=user,
        auth_hash=auth_hash(user.password),
        rotated=now,
        expires=now + (lifetime or settings.SESSION_LIFETIME),
        address=address or None,
        user_agent="".join(filter(str.isprintable, user_agent))[:255],
    )
    return session


def rotate(sid: UUID, subject: str, seq: int, address: str = "") -> LoginSession:
    """Exchange the refresh token ``seq`` of the session ``sid`` for its successor.

    Returns the session; the successor's number is ``seq + 1``. ``subject`` is the
    user's primary key as text. Raises ``SessionEnded``. Runs two statements.
    """
    session = get(sid, subject)
    if session.seq == seq:
        if lookup.advance(sid, seq):
            return session
        session = get(sid, subject)  # another request was faster
    if is_parent_in_grace(session, seq):
        return session
    if seq < session.seq:
        LoginSession.objects.filter(pk=sid).revoke()
        logger.warning(THEFT, address or "an unknown address", session.pk, session.user_id)
    raise SessionEnded("The session has ended")


def is_parent_in_grace(session: LoginSession, seq: int) -> bool:
    """Whether the current refresh token was created from ``seq`` a moment ago.

    Only the database can tell, since the clocks of machines differ.
    """
    grace = settings.REFRESH_GRACE_PERIOD
    if not grace or session.seq != seq + 1:
        return False
    recent = LoginSession.objects.filter(rotated__gt=Now() - grace)
    return recent.filter(pk=session.pk, seq=session.seq).exists()


def get(sid: UUID, subject: str) -> LoginSession:
    """Return the live session ``sid`` with its ``user``, in one statement.

    Raises ``SessionEnded``, also if it is not a session of ``subject``, or if its user may
    no longer log in.
    """
    session = lookup.session_with_user(sid)
    if (
        session is None
        or session.revoked
        or session.expires <= timezone.now()
        or str(session.user_id) != subject
        or not api_settings.USER_AUTHENTICATION_RULE(session.user)
        or session.auth_hash != auth_hash(session.user.password)
    ):
        raise SessionEnded("The session has ended")
    return session


def accepts(session: LoginSession, seq: int) -> bool:
    """Whether the refresh token ``seq`` of a live session would be accepted."""
    return session.seq == seq or is_parent_in_grace(session, seq)


def live_for(user: User) -> LoginSessionQuerySet:
    """Return the live sessions of ``user``."""
    return LoginSession.objects.live().filter(user=user, auth_hash=auth_hash(user.password))


def auth_hash(password: str) -> str:
    """Return a hash of a password's hash, to notice when it changes."""
    return hashlib.sha256(password.encode()).hexdigest()


@receiver(password_hash_upgraded)
def follow_hasher_upgrade(user: User, old_hash: str, **kwargs: Any) -> None:
    """Keep the sessions alive when the same password gets a newer kind of hash."""
    sessions = LoginSession.objects.filter(user=user, auth_hash=auth_hash(old_hash))
    sessions.update(auth_hash=auth_hash(user.password))
