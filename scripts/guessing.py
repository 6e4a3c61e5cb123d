"""Guess passwords at a live server, as hard as one can, and report what gets through.

    RENDERED_PYTHON=... TEST_POSTGRES_URL=... [TEST_REDIS_URL=...] \
        python scripts/guessing.py

A rendered project runs in production settings behind gunicorn with four workers, on
PostgreSQL, first with the failures counted there and then, where there is one, in
Redis. The clients write ``X-Forwarded-For`` as a trusted proxy would. At the end the
answers to an unknown name, a wrong password and a disabled account are timed.
"""

from __future__ import annotations

import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from math import erfc, sqrt
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from servers import HOST, Project, Server, database_with_user

RIGHT, WRONG = secrets.token_urlsafe(), secrets.token_urlsafe()
TRIES = 200
USERS = """
import sys
from django.contrib.auth.hashers import make_password
from users.models import User
password = make_password(sys.stdin.readline())
User.objects.bulk_create(
    User(username=f"{kind}{n}", email=f"{kind}{n}@x.org", password=password,
         is_active=kind != "disabled")
    for kind in ("user", "disabled", "target") for n in range(200)
)
"""


def address() -> str:
    """Return an address that nobody has come from before."""
    return f"2001:db8:{secrets.token_hex(2)}:{secrets.token_hex(2)}::1"


class Guesser:
    """A client of ``server`` that logs in from any address."""

    def __init__(self, server: Server) -> None:
        """Log in at that server."""
        self.server = server

    def login(self, name: str, password: str, origin: str) -> tuple[int, float]:
        """Try once; return the status and the seconds it took."""
        body = json.dumps({"username": name, "password": password})
        headers = {"Content-Type": "application/json", "X-Forwarded-For": origin}
        with closing(HTTPConnection(HOST, self.server.port, timeout=60)) as connection:
            connection.connect()
            start = time.perf_counter()
            connection.request("POST", "/api/token/", body, headers)
            response = connection.getresponse()
            response.read()
            return response.status, time.perf_counter() - start

    def count(
        self, what: str, most: int, guesses: Iterable[tuple[str, str]], clients: int = 1
    ) -> int:
        """Make wrong guesses (name and address); return how many were judged."""
        with ThreadPoolExecutor(clients) as pool:
            answers = pool.map(lambda g: self.login(g[0], WRONG, g[1])[0], guesses)
            found = Counter(answers)
        print(f"  {what}: {dict(found)}")
        assert found.keys() <= {401, 429}, found
        assert found[401] <= most, found
        return found[401]

    def expect(self, status: int, name: str, origin: str) -> None:
        """Log in with the right password."""
        found, _ = self.login(name, RIGHT, origin)
        assert found == status, (found, status)


def guess(server: Server) -> None:
    """Guess in a row and in parallel, at one account, from one address, from many."""
    guesser, here = Guesser(server), address()
    row = [("target0", here)] * 1000
    guesser.count("1000 in a row, one account and address", 10, row)
    guesser.expect(429, "target0", here)
    guesser.expect(200, "target0", address())
    for clients in (16, 64):
        here, name = address(), f"target{clients}"
        row = [(name, here)] * 1000
        judged = guesser.count(f"1000 by {clients} clients at once", 10, row, clients)
        # Of those that come together some are refused before the limit is reached.
        guesser.count("  and 10 more in a row", 10 - judged, row[:10])
        guesser.expect(429, name, here)
        guesser.expect(200, name, address())
    many = [("target2", address()) for _ in range(100)]
    judged = guesser.count("500 at one account, 100 addresses", 100, many * 5, 16)
    guesser.count("  and 100 more in a row", 100 - judged, many)
    guesser.expect(429, "target2", address())
    here = address()
    names = [(f"nobody{number}", here) for number in range(500)]
    judged = guesser.count("500 names, one address", 50, names, 16)
    guesser.count("  and 50 more in a row", 50 - judged, names[:50])
    guesser.expect(429, "target3", here)
    guesser.expect(200, "target3", address())


def rank_test(first: list[float], second: list[float]) -> float:
    """Return the p-value of Mann and Whitney's test, two-sided, without ties."""
    ranks = {value: rank for rank, value in enumerate(sorted([*first, *second]), 1)}
    n, m = len(first), len(second)
    u = sum(ranks[value] for value in first) - n * (n + 1) / 2
    return erfc(abs(u - n * m / 2) / sqrt(n * m * (n + m + 1) / 12) / sqrt(2))


def measure(server: Server) -> None:
    """Time the three kinds of refusal, in turns, each by an account of its own."""
    guesser = Guesser(server)
    kinds: dict[str, Callable[[int], tuple[str, str]]] = {
        "unknown name": lambda n: (f"stranger{n}", RIGHT),
        "wrong password": lambda n: (f"user{n}", WRONG),
        "disabled account": lambda n: (f"disabled{n}", RIGHT),
    }
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(-20, TRIES):  # the first ones warm up
        for kind in sorted(kinds, key=lambda _: secrets.randbits(32)):
            status, seconds = guesser.login(*kinds[kind](number % TRIES), address())
            assert status == 401, status
            times[kind] += [seconds] if number >= 0 else []
    for kind, found in times.items():
        middle = statistics.median(found) * 1000
        quartiles = [value * 1000 for value in statistics.quantiles(found)]
        print(
            f"  {kind}: median {middle:.2f} ms, "
            f"quartiles {quartiles[0]:.2f} to {quartiles[2]:.2f}"
        )
    names = list(kinds)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        p = rank_test(times[names[one]], times[names[other]])
        print(f"  {names[one]} / {names[other]}: rank test p = {p:.3f}")


def main() -> None:
    """Guess with each store, then measure."""
    stores = {"PostgreSQL": ""}
    if "TEST_REDIS_URL" in os.environ:
        stores["Redis"] = os.environ["TEST_REDIS_URL"]
    for store, redis_url in stores.items():
        with (
            tempfile.TemporaryDirectory() as folder,
            database_with_user("postgresql", Path(folder)) as url,
        ):
            project = Project(Path(folder, "guessed"), url)
            project.environment |= {"TRUSTED_PROXIES": "1", "REDIS_URL": redis_url}
            project.manage("shell", "--verbosity=0", "-c", USERS, stdin=RIGHT)
            with project.serve(workers=4) as server:
                print(f"Failures counted in {store}")
                guess(server)
            with project.serve(workers=1) as server:
                measure(server)


if __name__ == "__main__":
    main()
