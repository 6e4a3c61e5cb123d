"""Throttling of guesses: failures are counted, and too many block further attempts.

Each limit counts the failures under one key in a sliding window. An attempt is recorded
as a failure before any backend is asked, and removed when one accepts it, so that
simultaneous attempts cannot slip through together. A blocked attempt asks no backend and
is removed as well, so it does not count (NIST SP 800-63B section 3.2.2).

The failures are in the database, which all workers and machines share. If it cannot be
reached, its exception is raised and the attempt is not made.
"""

import hashlib
import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from math import ceil
from typing import Any, NamedTuple, Self

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.sql import InsertQuery
from django.utils import timezone
from rest_framework.exceptions import APIException, Throttled

from api.addresses import client_address, network
from users.models import Failure


class Limit(NamedTuple):
    """At most ``failures`` under ``key`` within ``window``."""

    key: str
    failures: int
    window: timedelta


def login_limits(account: str, address: str) -> list[Limit]:
    """Return the limits on guessing the password of ``account``, a login name."""
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
    """Guard the block that checks the password of ``account``, a login name.

    Raises ``rest_framework.exceptions.Throttled`` before the block after too many
    failures. The attempt has failed if the block raises ``APIException`` or
    ``ValidationError``. After any other exception it does not count.
    """
    attempt = Attempt.begin(login_limits(account, client_address(request)))
    try:
        yield attempt
    except BaseException as error:
        if not isinstance(error, (APIException, ValidationError)):
            attempt.withdraw()
        raise
    attempt.succeeded()


class Attempt:
    """An attempt, which counts as a failure until it has ``succeeded``."""

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.limits, self.id, self.time = limits, uuid.uuid4().hex, timezone.now()

    @classmethod
    def begin(cls, limits: Sequence[Limit]) -> Self:
        """Record an attempt under the key of each limit.

        Raises ``rest_framework.exceptions.Throttled``, with the seconds to wait, if one
        of ``limits`` has been reached.
        """
        attempt = cls(limits)
        # As bulk_create() does, without a transaction around it. The database gives the id.
        query = InsertQuery(Failure)
        rows = (Failure(key=limit.key, time=attempt.time, attempt=attempt.id) for limit in limits)
        query.insert_values(Failure._meta.concrete_fields[1:], [*rows])
        query.get_compiler(Failure.objects.all().db).execute_sql()
        if waits := [*attempt._waits()]:
            attempt.withdraw()
            raise Throttled(wait=max(1, ceil(max(waits).total_seconds())))
        return attempt

    def withdraw(self, forget: str = "") -> None:
        """Remove the attempt, and every failure under the key ``forget``."""
        old = Q(time__lt=self.time - timedelta(hours=1))
        failures = Failure.objects.filter(Q(attempt=self.id) | Q(key=forget) | old)
        failures._raw_delete(failures.db)  # as delete() does, without a transaction around it

    def succeeded(self) -> None:
        """Remove the attempt, and all failures under its first key."""
        self.withdraw(forget=self.limits[0].key)

    def _waits(self) -> Iterator[timedelta]:
        rows = Failure.objects.filter(key__in=[limit.key for limit in self.limits])
        failures = rows.order_by("time").values_list("key", "time")
        for limit in self.limits:
            since = self.time - limit.window
            times = [time for key, time in failures if key == limit.key and time > since]
            if len(times) > limit.failures:
                yield times[0] - since
