"""The production server with slow, silent and broken clients, and owners' views."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from http.client import HTTPException
from pathlib import Path
from threading import Event
from uuid import uuid4

import pytest
from owners import add_owners_views
from servers import (
    HOST,
    PASSWORD,
    PYTHON,
    Project,
    Server,
    database_with_user,
    eventually,
    free_port,
)
from slow import HALF_BODY, HALF_HEADER, assert_quick, clients


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("server")
    with database_with_user("sqlite", folder / "database") as url:
        project = Project(folder, url)
        add_owners_views(project)
        project.environment |= {"HTTP_PROXY": "http://me:secret@a", "SERVER_PORT": "1"}
        yield project


@pytest.fixture(scope="module")
def server(project: Project) -> Iterator[Server]:
    with project.serve({"GRANIAN_RESPAWN_FAILED_WORKERS": "true"}) as server:
        yield server


@pytest.mark.parametrize(
    ("count", "sent"),
    [(300, HALF_HEADER), (60, HALF_BODY), (500, b"")],
    ids=["half headers", "half bodies", "silent"],
)
def test_slow_clients_hold_nobody_up(server: Server, count: int, sent: bytes) -> None:
    with clients(server.port, count, sent):
        assert_quick(server)


def test_a_stream_queries_while_others_are_served(server: Server) -> None:
    access = server.login()["access"]
    with ThreadPoolExecutor(12) as pool:
        path = "/own/stream/?lines=10"
        streams = [pool.submit(server.get, path, access) for _ in range(12)]
        time.sleep(0.5)
        assert_quick(server)
        assert not any(stream.done() for stream in streams)
        for stream in streams:
            assert stream.result().body.splitlines() == [f"{n} 1" for n in range(10)]


def test_an_owners_view_takes_an_upload_of_20_mib(server: Server) -> None:
    start = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    body = start + b"a" * 20 * 1024**2 + b"\r\n--x--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = server.send("POST", "/own/upload/", body, kind)
    assert (answer.status, answer.body) == (200, {"size": 20 * 1024**2})


@pytest.mark.parametrize("length", [33 * 1024**2, 2 * 1024**2])
def test_a_body_that_is_too_large_is_the_apis_own_413(
    server: Server, length: int
) -> None:
    kind = {"Content-Type": "application/json"}
    for body in (b" " * length, iter([b" " * 1024**2] * (length // 1024**2))):
        answer = server.send("POST", "/api/token/", body, kind)
        assert answer.status == 413
        assert answer.body.keys() == {"detail"}


def test_a_body_is_read_in_whatever_way_it_comes(server: Server) -> None:
    body = json.dumps({"username": "ada", "password": PASSWORD}).encode()
    kind = {"Content-Type": "application/json"}
    for sent in (body, iter([body[:9], body[9:]])):  # with its length, and in chunks
        assert server.send("POST", "/api/token/", sent, kind).status == 200
    cut = (
        b"POST /api/token/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\n{}"
    )
    assert b" 400 " in raw(server, cut).splitlines()[0]
    for odd in ("application/json; charset*=x''%ff", "a" * 20_000, "*"):
        answer = server.send("POST", "/api/token/", body, {"Content-Type": odd})
        assert answer.status == 415


def raw(server: Server, request: bytes) -> bytes:
    """Send ``request`` and nothing after it, and return the response."""
    with socket.create_connection((HOST, server.port), timeout=10) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        return client.makefile("rb").read()


def test_no_request_holds_the_servers_environment_nor_an_answer_its_name(
    project: Project, server: Server
) -> None:
    answer = server.get("/own/meta/")
    assert not answer.headers["Server"]
    for name, value in project.environment.items():
        assert answer.body.get(name) != value
    assert answer.body["SERVER_PORT"] == str(server.port)


def test_a_worker_that_is_killed_comes_back(server: Server) -> None:
    refresh = server.login()["refresh"]
    for worker in server.workers():
        os.kill(worker, signal.SIGKILL)
    eventually(lambda: len(server.workers()) == 2 and server.is_ready())
    answer = server.refresh(refresh)
    assert answer.status == 200
    assert server.refresh(answer.body["refresh"]).status == 200
    assert server.refresh(refresh).status == 401
    assert not server.opens_to(answer.body["access"])


def test_while_all_turns_are_taken_health_answers_and_others_get_503(
    project: Project,
) -> None:
    project.edit("config/settings/base.py", r"(?<=TURNS = )\d+", "2")
    project.edit("config/settings/base.py", "(?<=TURN_TIMEOUT = )10", "2")
    with project.serve(workers=1) as server, ThreadPoolExecutor(4) as pool:
        busy = [pool.submit(server.get, "/own/long/?seconds=5") for _ in range(2)]
        time.sleep(0.5)
        start = time.perf_counter()
        assert server.get("/health/live/").status == 200
        assert time.perf_counter() - start < 1
        refused = server.get("/api/users/me/")
        assert time.perf_counter() - start > 1.5
        assert refused.status == 503
        assert refused.headers["Retry-After"].isdecimal()
        assert refused.body.keys() == {"detail"}
        assert {answer.result().status for answer in busy} == {200}
        assert server.is_ready()
    project.edit("config/settings/base.py", "(?<=TURN_TIMEOUT = )2", "10")


def both_started(log: Path) -> bool:
    return log.read_text("utf-8").count("Started worker-") == 2


@pytest.mark.parametrize("times", [1, pytest.param(3, marks=pytest.mark.full)])
def test_a_stop_under_load_loses_no_request(
    project: Project, tmp_path: Path, times: int
) -> None:
    """A request that a view handles is answered; a new connection may break."""
    for turn in range(times):
        log = tmp_path / f"log{turn}"
        answered: list[str] = []
        over = Event()

        def call(
            server: Server, over: Event = over, answered: list[str] = answered
        ) -> None:
            with suppress(OSError, HTTPException):
                while not over.is_set():
                    name = uuid4().hex
                    path = f"/own/long/?seconds=0.05&id={name}"
                    assert server.get(path).status == 200
                    answered.append(name)

        with (
            log.open("wb") as output,
            project.serve({"LOG_LEVEL": "INFO"}, output=output) as server,
            ThreadPoolExecutor(12) as pool,
        ):
            # A worker that is still starting does not hear the signal.
            eventually(partial(both_started, log))
            calls = [pool.submit(call, server) for _ in range(12)]
            time.sleep(1)
            server.process.terminate()
            try:
                assert server.process.wait(timeout=60) == 0
            finally:
                over.set()
            for each in calls:
                each.result()
        arrived = (project.folder / "arrived").read_text().split()
        assert len(answered) > 50
        assert {*arrived} <= {*answered}
        (project.folder / "arrived").unlink()


def test_a_postgresql_pool_as_small_as_the_turns_serves_all(tmp_path: Path) -> None:
    with database_with_user("postgresql", tmp_path / "database") as url:
        project = Project(tmp_path / "project", url)
        project.edit("config/settings/base.py", r"(?<=TURNS = )\d+", "2")
        project.edit("config/env.py", r"TURNS \+ 4", "TURNS")
        with project.serve() as server, ThreadPoolExecutor(32) as pool:
            access = server.login()["access"]
            path = ["/api/users/me/"] * 640
            answers = pool.map(lambda path: server.get(path, access).status, path)
            assert set(answers) == {200}


def test_the_asgi_entry_of_the_documents_is_served_and_checked(
    project: Project,
) -> None:
    text = (project.folder / "docs" / "operations.md").read_text("utf-8")
    [code] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (project.folder / "config" / "asgi.py").write_text(code)
    [command] = re.findall(r"`granian (--interface asgi .+?)`", text)
    port = free_port()
    server = [PYTHON, "-m", "granian", *command.replace("8001", str(port)).split()]
    folder, environment = project.folder, project.environment
    process = subprocess.Popen(server, cwd=folder, env=environment)
    try:
        eventually(Server(process, port).is_ready)
    finally:
        process.terminate()
        process.wait(timeout=30)
    wrong = environment | {"JWT_SIGNING_KEY": "short"}
    check = [PYTHON, "-c", "import config.asgi"]
    done = subprocess.run(check, cwd=folder, env=wrong, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("JWT_SIGNING_KEY: ")
