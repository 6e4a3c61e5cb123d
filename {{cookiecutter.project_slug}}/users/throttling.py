"""Guessing is throttled: failures are counted, and too many refuse further tries.

Each limit counts the failures under one key in a sliding window. An attempt is
entered as a failure before it is judged and taken back when it was right, so that
attempts made at the same moment cannot slip through together. A refused attempt is
taken back as well: it is not counted (NIST SP 800-63B section 3.2.2).

The failures are kept in Redis when ``REDIS_URL`` names one, else in the database.
When the store is away its exception goes through, and the attempt is not made.
"""

import hashlib
import ipaddress
import re
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from math import ceil

from django.conf import settings
from django.db.models import Count, Min, Q
from django.http import HttpRequest
from django.utils import timezone
from redis import Redis
from rest_framework.exceptions import Throttled

from users.models import Failure

WITH_PORT = re.compile(r"\[(.+)\](?::\d+)?|([\d.]+):\d+")


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


def token_limits(address: str) -> list[Limit]:
    """The limit of refused tokens at refresh and verify."""
    return [Limit(f"token:{network(address)}", 1000, timedelta(minutes=15))]


class Attempt:
    """One try, counted as a failure from now on until it has ``succeeded``.

    Raises ``rest_framework.exceptions.Throttled``, with the seconds to wait, where
    one of ``limits`` is reached already.
    """

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.id = uuid.uuid4().hex
        self.time = timezone.now()
        self.limits = limits
        counts = store().enter(self)
        waits = [
            oldest + limit.window - self.time
            for limit, (count, oldest) in zip(limits, counts, strict=True)
            if count > limit.failures
        ]
        if waits:
            self.withdraw()
            raise Throttled(wait=max(1, ceil(max(waits).total_seconds())))

    def withdraw(self) -> None:
        """Takes the attempt back, as if it had not been made."""
        store().take_back(self)

    def succeeded(self) -> None:
        """Takes the attempt back, and forgets all failures under its first key."""
        store().take_back(self, forget=self.limits[0].key)


class DatabaseStore:
    """One row per attempt and key."""

    def enter(self, attempt: Attempt) -> list[tuple[int, datetime]]:
        """Enters ``attempt``; for each limit, the count with it and the oldest."""
        Failure.objects.bulk_create(
            Failure(key=limit.key, time=attempt.time, attempt=attempt.id)
            for limit in attempt.limits
        )
        recent = Q()
        for limit in attempt.limits:
            recent |= Q(key=limit.key, time__gt=attempt.time - limit.window)
        rows = Failure.objects.filter(recent).values_list("key")
        counts = {key: rest for key, *rest in rows.annotate(Count("pk"), Min("time"))}
        # A login that succeeds just now may have removed this attempt with its own.
        alone = (1, attempt.time)
        return [tuple(counts.get(limit.key, alone)) for limit in attempt.limits]

    def take_back(self, attempt: Attempt, forget: str = "") -> None:
        """Removes ``attempt``, and everything under the key ``forget``."""
        old = Q(time__lt=attempt.time - timedelta(hours=1))
        Failure.objects.filter(Q(attempt=attempt.id) | Q(key=forget) | old).delete()


class RedisStore:
    """One sorted set per key: the attempts' ids, scored by their times."""

    def __init__(self, url: str) -> None:
        self.redis = Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)

    def enter(self, attempt: Attempt) -> list[tuple[int, datetime]]:
        now = attempt.time.timestamp()
        pipeline = self.redis.pipeline(transaction=True)
        for limit in attempt.limits:
            seconds = int(limit.window.total_seconds())
            pipeline.zremrangebyscore(limit.key, "-inf", now - seconds)
            pipeline.zadd(limit.key, {attempt.id: now})
            pipeline.expire(limit.key, seconds)
        for limit in attempt.limits:
            pipeline.zcard(limit.key)
            pipeline.zrange(limit.key, 0, 0, withscores=True)
        answers = iter(pipeline.execute()[3 * len(attempt.limits) :])
        return [
            (count, datetime.fromtimestamp(oldest[0][1], tz=attempt.time.tzinfo))
            for count, oldest in zip(answers, answers, strict=True)
        ]

    def take_back(self, attempt: Attempt, forget: str = "") -> None:
        pipeline = self.redis.pipeline(transaction=True)
        for limit in attempt.limits:
            pipeline.zrem(limit.key, attempt.id)
        if forget:
            pipeline.delete(forget)
        pipeline.execute()


_redis_store = cache(RedisStore)


def store() -> DatabaseStore | RedisStore:
    """The store that the settings name, shared by all workers and machines."""
    return _redis_store(settings.REDIS_URL) if settings.REDIS_URL else DatabaseStore()


def client_address(request: HttpRequest) -> str:
    """The client's IP address as text, or ``""`` where it is unknown.

    ``X-Forwarded-For`` is believed only as far as ``TRUSTED_PROXIES`` proxies have
    written it: each appends the address it was called from.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(hops) >= settings.TRUSTED_PROXIES:
            address = hops[-settings.TRUSTED_PROXIES].strip()
        if found := WITH_PORT.fullmatch(address):  # as some proxies write it
            address = found[1] or found[2]
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])  # without a zone
    except ValueError:
        return ""
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def network(address: str) -> str:
    """What counts as one client: an IPv4 address, or a /64 network of IPv6.

    One subscriber commonly owns a whole /64 and can change addresses within it.
    """
    if ":" in address:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return address
