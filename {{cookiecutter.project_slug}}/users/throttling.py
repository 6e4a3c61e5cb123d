"""Guessing is throttled: failures are counted, and too many refuse further tries.

Each limit counts the failures under one key in a sliding window. An attempt is
entered as a failure before any backend is asked and taken back when one accepts it,
so that attempts made at the same moment cannot slip through together. A refused
attempt asks no backend and is taken back as well: it is not counted (NIST SP 800-63B
section 3.2.2).

The database counts, since all workers and machines share it. While it is away its
exception goes through, and the attempt is not made.
"""

import hashlib
import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count, Min, Q
from django.utils import timezone
from rest_framework.exceptions import APIException, Throttled

from api.addresses import client_address, network
from users.models import Failure


@dataclass(frozen=True)
class Limit:
    """At most ``failures`` under ``key`` within ``window``."""

    key: str
    failures: int
    window: timedelta


def login_limits(account: str, address: str) -> list[Limit]:
    """The limits of guesses at the password of ``account``, a login name."""
    spelling = unicodedata.normalize("NFKC", account).strip().casefold()
    account = hashlib.sha256(spelling.encode(errors="replace")).hexdigest()[:32]
    address = network(address)
    return [
        Limit(f"login:{account}:{address}", 10, timedelta(minutes=15)),
        Limit(f"login:{address}", 50, timedelta(minutes=15)),
        Limit(f"login:{account}", 100, timedelta(hours=1)),
    ]


@contextmanager
def password_guess(account: str, request: Any) -> Iterator["Attempt"]:
    """The block in which the password of ``account``, a login name, is judged.

    Raises ``rest_framework.exceptions.Throttled`` instead of entering it after too many
    failures. The attempt has failed if the block raises ``APIException`` or
    ``ValidationError``. Any other exception means that nothing was judged.
    """
    attempt = Attempt.begin(login_limits(account, client_address(request)))
    try:
        yield attempt
    except (APIException, ValidationError):
        raise
    except BaseException:
        attempt.withdraw()
        raise
    attempt.succeeded()


@dataclass
class Attempt:
    """One try, counted as a failure from ``begin`` on until it has ``succeeded``."""

    limits: Sequence[Limit]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    time: datetime = field(default_factory=timezone.now)

    @classmethod
    def begin(cls, limits: Sequence[Limit]) -> "Attempt":
        """Enters an attempt.

        Raises ``rest_framework.exceptions.Throttled``, with the seconds to wait, where
        one of ``limits`` is reached already.
        """
        attempt = cls(limits)
        if wait := attempt.enter():
            attempt.withdraw()
            raise Throttled(wait=max(1, ceil(wait.total_seconds())))
        return attempt

    def enter(self) -> timedelta | None:
        """Counts this attempt under each key; how long to wait where it is too many."""
        Failure.objects.bulk_create(
            Failure(key=limit.key, time=self.time, attempt=self.id) for limit in self.limits
        )
        recent = Q()
        for limit in self.limits:
            recent |= Q(key=limit.key, time__gt=self.time - limit.window)
        rows = Failure.objects.filter(recent).values_list("key")
        counts = {key: rest for key, *rest in rows.annotate(Count("pk"), Min("time"))}
        # A login that succeeds just now may have removed this attempt with its own.
        found = [(*counts.get(limit.key, (1, self.time)), limit) for limit in self.limits]
        waits = [
            oldest + limit.window - self.time
            for count, oldest, limit in found
            if count > limit.failures
        ]
        return max(waits, default=None)

    def withdraw(self, forget: str = "") -> None:
        """Takes the attempt back, and every failure under the key ``forget``."""
        old = Q(time__lt=self.time - timedelta(hours=1))
        Failure.objects.filter(Q(attempt=self.id) | Q(key=forget) | old).delete()

    def succeeded(self) -> None:
        """Takes the attempt back, and forgets all failures under its first key."""
        self.withdraw(forget=self.limits[0].key)
