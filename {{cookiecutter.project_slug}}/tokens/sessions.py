"""Login sessions: how one begins, is refreshed, and ends.

A session carries the number of its current refresh token, ``seq``. A refresh is one
UPDATE that counts it up where it still is what the token says, so of any number of
requests with the same token, on any number of machines, one wins. The others tell
from the row what happened:

- The token is the direct parent of the current one, and that was made a moment ago
  (``REFRESH_GRACE_PERIOD``): an answer got lost, or two tabs refreshed at once. They
  get the same successor; nothing forks.
- It is older: somebody uses a copy. The whole session ends, for the thief and for
  the owner alike, who logs in again (RFC 9700 section 4.14.2).

A session also ends when its user does, is deactivated, or changes the password: it
keeps a hash of the password's hash, which follows an upgrade of the hasher.
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

from tokens import lookup
from tokens.models import LoginSession, LoginSessionQuerySet, Now
from users.models import User, password_hash_upgraded

logger = logging.getLogger(__name__)


class SessionEnded(TokenError):
    """The session is over, or there never was one."""


def start(
    user: User, *, address: str = "", user_agent: str = "", lifetime: timedelta | None = None
) -> LoginSession:
    """Begins a session of ``user``, who has just shown who they are.

    It lives for ``SESSION_LIFETIME`` unless ``lifetime`` says otherwise.
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
    """Exchanges the refresh token ``seq`` of the session ``sid`` for its successor.

    Returns the session; the successor's number is ``seq + 1``. ``subject`` is the
    user's primary key as text. Raises ``SessionEnded``. Two statements.
    """
    session = get(sid, subject)
    if session.seq == seq:
        if lookup.advance(sid, seq):
            return session
        session = get(sid, subject)  # somebody was quicker
    if is_parent_in_grace(session, seq):
        return session
    if seq < session.seq:
        LoginSession.objects.filter(pk=sid).revoke()
        logger.warning(
            "A used refresh token came back from %s: session %s of user %s is revoked",
            *(address or "an unknown address", session.pk, session.user_id),
        )
    raise SessionEnded("The session is over")


def is_parent_in_grace(session: LoginSession, seq: int) -> bool:
    """Whether ``seq`` is what the current refresh token was made from just now.

    The database tells, for the clocks of several machines differ.
    """
    grace = settings.REFRESH_GRACE_PERIOD
    if not grace or session.seq != seq + 1:
        return False
    recent = LoginSession.objects.filter(rotated__gt=Now() - grace)
    return recent.filter(pk=session.pk, seq=session.seq).exists()


def get(sid: UUID, subject: str) -> LoginSession:
    """The live session ``sid`` with its ``user``, in one statement.

    Raises ``SessionEnded`` also where it is not the session of ``subject``, or its
    user may not log in any more.
    """
    session = lookup.session_with_user(sid)
    if (
        session is None
        or session.revoked
        or session.expires <= timezone.now()
        or str(session.user_id) != subject
        or not session.user.is_active
        or session.auth_hash != auth_hash(session.user.password)
    ):
        raise SessionEnded("The session is over")
    return session


def accepts(session: LoginSession, seq: int) -> bool:
    """Whether the refresh token ``seq`` of a live session would be exchanged."""
    return session.seq == seq or is_parent_in_grace(session, seq)


def live_for(user: User) -> LoginSessionQuerySet:
    """The live sessions of ``user``."""
    return LoginSession.objects.live().filter(user=user, auth_hash=auth_hash(user.password))


def end(sid: UUID) -> None:
    """Ends a session; nothing happens where there is none."""
    LoginSession.objects.filter(pk=sid).revoke()


def auth_hash(password: str) -> str:
    """A hash of a password's hash, to see that it has changed."""
    return hashlib.sha256(password.encode()).hexdigest()


@receiver(password_hash_upgraded)
def follow_hasher_upgrade(user: User, old_hash: str, **kwargs: Any) -> None:
    """A newer hash of the same password leaves the sessions alive."""
    LoginSession.objects.filter(user=user, auth_hash=auth_hash(old_hash)).update(
        auth_hash=auth_hash(user.password)
    )
