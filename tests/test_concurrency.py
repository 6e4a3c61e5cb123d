"""Many clients at the same moment, and power cuts: a session never forks.

A session lives in one row, so this needs real servers with several processes and
threads, on both databases.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from http.cookies import SimpleCookie
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from servers import Answer, Project, Server, claims, database_with_user

CLIENTS = 20
COOKIE = "__Host-my_api_refresh_token"
REFUSED = {401, 429}  # 429 after a thousand 401 in a quarter of an hour

ROUNDS = pytest.mark.parametrize(
    "rounds", [3, pytest.param(100, marks=pytest.mark.full)]
)
ATOMIC = pytest.mark.parametrize("atomic", [False, True], ids=["plain", "atomic"])


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("database")
    with database_with_user(request.param, folder) as url:
        yield url


class Browsers(Server):
    """A server whose clients have their refresh tokens in cookies.

    What a test says of tokens in bodies holds for the cookies then.
    """

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        barrier: Barrier | None = None,
    ) -> Answer:
        headers = {**(headers or {}), "Origin": self.url}
        if token := json.loads(body or "{}").get("refresh"):
            headers["Cookie"], body = f"{COOKIE}={token}", None
        answer = super().send(method, path, body, headers, barrier)
        cookie = SimpleCookie(answer.headers["Set-Cookie"]).get(COOKIE)
        if cookie and cookie.value:
            assert "refresh" not in answer.body
            answer.body["refresh"] = cookie.value
        return answer


@pytest.fixture(params=["body", pytest.param("cookie", marks=pytest.mark.full)])
def project(request: pytest.FixtureRequest, tmp_path: Path, database: str) -> Project:
    project = Project(tmp_path, database, refresh_token_in=request.param)
    if request.param == "cookie":
        project.clients = Browsers
    return project


def make_atomic(project: Project) -> None:
    setting = '\nDATABASES["default"]["ATOMIC_REQUESTS"] = True\n'
    project.edit("config/settings/production.py", r"\Z", setting)


def set_grace_period(project: Project, length: str) -> None:
    project.edit("config/jwt.py", r"(?<=REFRESH_GRACE_PERIOD = ).+", length)


def refreshes(token: str) -> list[tuple[str, dict[str, str]]]:
    return [("/api/token/refresh/", {"refresh": token})] * CLIENTS


@ROUNDS
@ATOMIC
def test_refreshes_at_once_yield_one_successor(
    project: Project, atomic: bool, rounds: int
) -> None:
    if atomic:
        make_atomic(project)
    with project.serve() as server:
        for _ in range(rounds):
            answers = server.at_once(*refreshes(server.login()["refresh"]))
            assert {answer.status for answer in answers} == {200}
            assert {claims(each.body["refresh"])["seq"] for each in answers} == {1}
            assert server.accepts(answers[0].body["refresh"])
            access = answers[0].body["access"]
            assert len(server.get("/api/sessions/", access).body) == 1
            server.delete("/api/sessions/", access)


@ROUNDS
@ATOMIC
def test_without_grace_one_refresh_wins_and_the_session_ends(
    project: Project, atomic: bool, rounds: int
) -> None:
    if atomic:
        make_atomic(project)
    set_grace_period(project, "timedelta(0)")
    with project.serve() as server:
        for _ in range(rounds):
            answers = server.at_once(*refreshes(server.login()["refresh"]))
            won = [answer.body for answer in answers if answer.status == 200]
            assert len(won) == 1
            assert {answer.status for answer in answers} - {200} <= REFUSED
            assert not server.opens_to(won[0]["access"])


@ROUNDS
@ATOMIC
def test_a_logout_among_refreshes_ends_the_session(
    project: Project, atomic: bool, rounds: int
) -> None:
    if atomic:
        make_atomic(project)
    with project.serve() as server:
        for _ in range(rounds):
            pair = server.login()
            posts = refreshes(pair["refresh"])
            logout = ("/api/token/blacklist/", {"refresh": pair["refresh"]})
            posts.insert(random.randrange(len(posts)), logout)
            answers = server.at_once(*posts)
            assert {answer.status for answer in answers} <= {200, *REFUSED}
            assert not server.opens_to(pair["access"])


def refresh_until_it_dies(server: Server, token: str) -> str:
    """Refresh in a loop, and return the last token that arrived."""
    try:
        for number in count(1):
            answer = server.refresh(token)
            assert answer.status == 200, answer
            token = answer.body["refresh"]
            assert claims(token)["seq"] == number
    except (OSError, HTTPException):
        pass
    return token


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.full)])
def test_a_killed_server_leaves_every_session_usable_and_whole(
    project: Project, kills: int
) -> None:
    """The client's last token works, whether or not its use was recorded."""
    set_grace_period(project, "timedelta(minutes=5)")  # for a slow restart
    tokens: list[str] = []
    for _ in range(kills + 1):
        with project.serve() as server:
            for token in tokens:
                successor = server.refresh(token)
                again = server.refresh(token)
                assert (successor.status, again.status) == (200, 200)
                seq = claims(token)["seq"]
                assert claims(successor.body["refresh"])["seq"] == seq + 1
                assert claims(again.body["refresh"])["seq"] == seq + 1
                assert server.refresh(again.body["refresh"]).status == 200
                assert server.refresh(token).status in REFUSED
                assert not server.opens_to(successor.body["access"])
            tokens = [server.login()["refresh"] for _ in range(6)]
            with ThreadPoolExecutor(len(tokens)) as pool:
                held = [pool.submit(refresh_until_it_dies, server, t) for t in tokens]
                time.sleep(random.uniform(0.05, 0.5))
                server.kill()
            tokens = [future.result() for future in held]
