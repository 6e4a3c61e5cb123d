"""Rendered projects behind real servers, for the tests over the network."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from email.message import Message
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Barrier
from typing import IO, Any, NamedTuple, Self
from urllib.parse import urlsplit
from uuid import uuid4

import jwt
import psycopg
import pytest
from conftest import ROOT, render
from psycopg import sql

HOST = "127.0.0.1"
PASSWORD = secrets.token_urlsafe()

#: The interpreter of the rendered projects; it needs what they depend on.
PYTHON = os.environ.get("RENDERED_PYTHON", sys.executable)

#: Where databases may be created and dropped, for example
#: ``postgresql://postgres@127.0.0.1:5432/postgres``.
POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL")

MANIFEST = '{"version": "1.1", "paths": {"a.css": "a.css"}, "hash": ""}'

#: As in the README, which also has the number of workers and the port.
OPTIONS = ["--interface", "wsgi", "--blocking-threads", "64"]

#: These send no e-mail, but let a project with open accounts start.
MAIL = {
    "EMAIL_URL": f"smtp://{HOST}:9",
    "DEFAULT_FROM_EMAIL": "My API <api@my-api.test>",
    "FRONTEND_URL": "https://app.example.com",
}


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until ``condition`` is true; a refused connection means not yet."""
    end = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except (OSError, HTTPException):
            pass
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


class Answer(NamedTuple):
    status: int
    body: Any
    headers: Message


class Server:
    """A running server, and its clients."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port
        self.url = f"http://{HOST}:{port}"

    def get(self, path: str, access: str | None = None) -> Answer:
        return self._request("GET", path, access=access)

    def post(self, path: str, **body: str) -> Answer:
        return self._request("POST", path, body)

    def delete(self, path: str, access: str) -> Answer:
        return self._request("DELETE", path, access=access)

    def is_ready(self) -> bool:
        assert self.process.poll() is None, "it ended"
        return self.get("/health/ready/").status == 200

    def login(self) -> dict[str, str]:
        """Log in and return the pair of tokens."""
        answer = self.post("/api/token/", username="ada", password=PASSWORD)
        assert answer.status == 200, answer
        return {name: answer.body[name] for name in ("access", "refresh")}

    def opens_to(self, access: str) -> bool:
        """Return whether the API accepts an access token; if not, it must be a 401."""
        answer = self.get("/api/users/me/", access)
        assert answer.status in (200, 401), answer
        return answer.status == 200

    def accepts(self, token: str) -> bool:
        """Return whether a token would be accepted; if not, it must be a 401."""
        answer = self.post("/api/token/verify/", token=token)
        assert answer.status in (200, 401), answer
        return answer.status == 200

    def refresh(self, token: str) -> Answer:
        return self.post("/api/token/refresh/", refresh=token)

    def at_once(self, *posts: tuple[str, dict[str, str]]) -> list[Answer]:
        """Send all of ``posts`` at the same moment, each from another client."""
        barrier = Barrier(len(posts), timeout=30)

        def send(post: tuple[str, dict[str, str]]) -> Answer:
            return self._request("POST", *post, barrier=barrier)

        with ThreadPoolExecutor(len(posts)) as pool:
            return list(pool.map(send, posts))

    def kill(self) -> None:
        """Kill the main process and all of its workers, like a power cut."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            # Its workers end a moment later, and only then is the port free again.
            with suppress(ConnectionError):
                while True:
                    socket.create_connection((HOST, self.port), timeout=30).close()
                    time.sleep(0.01)

    def connection(self) -> HTTPConnection:
        return HTTPConnection(HOST, self.port, timeout=30)

    def send(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: dict[str, str] | None = None,
        barrier: Barrier | None = None,
    ) -> Answer:
        """Send a body with a length as it is, and any other in chunks."""
        with closing(self.connection()) as connection:
            connection.connect()
            if barrier:
                barrier.wait()
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            text = response.read()
        if response.headers.get_content_type() == "application/json":
            return Answer(response.status, json.loads(text), response.headers)
        return Answer(response.status, text.decode(), response.headers)

    def workers(self) -> list[int]:
        """Return the processes that handle requests, on Linux."""
        main = self.process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text("ascii")
        return [int(child) for child in children.split()]

    def _request(
        self,
        method: str,
        path: str,
        body: dict[str, str] | None = None,
        access: str | None = None,
        barrier: Barrier | None = None,
    ) -> Answer:
        headers = {"Content-Type": "application/json"} if body else {}
        if access:
            headers["Authorization"] = f"Bearer {access}"
        text = json.dumps(body).encode() if body else None
        return self.send(method, path, text, headers, barrier)


class Project:
    """A rendered project in ``folder``, configured for production."""

    #: What ``serve`` yields.
    clients = Server

    def __init__(self, folder: Path, database_url: str, **answers: str) -> None:
        self.folder = render(folder, **answers)
        (self.folder / "staticfiles").mkdir()  # as after collectstatic
        (self.folder / "staticfiles/staticfiles.json").write_text(MANIFEST)
        self.environment = {
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "config.settings.production",
            "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
            "DJANGO_ALLOWED_HOSTS": HOST,
            "DATABASE_URL": database_url,
            "JWT_SIGNING_KEY": secrets.token_urlsafe(64),
            "SECURE_SSL_REDIRECT": "false",
            "LOG_LEVEL": "ERROR",
        }
        if answers.get("accounts") == "open":
            self.environment |= MAIL

    def run(self, *arguments: str, stdin: str = "", **environment: str) -> str:
        """Run Python in the project and return its output."""
        return subprocess.run(
            [PYTHON, *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            input=stdin,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    def manage(self, *arguments: str, **environment: str) -> str:
        return self.run("manage.py", *arguments, **environment)

    def add_user(self) -> None:
        """Create the tables and the one user who logs in."""
        self.manage("migrate", "--verbosity=0")
        options = ["--no-input", "--username=ada", "--email=ada@example.com"]
        self.manage("createsuperuser", *options, DJANGO_SUPERUSER_PASSWORD=PASSWORD)

    def edit(self, file: str, pattern: str, replacement: str) -> None:
        """Change the one place in ``file`` that matches, as its owner would by hand."""
        path = self.folder / file
        text, count = re.subn(pattern, replacement, path.read_text("utf-8"))
        assert count == 1, f"{pattern} is {count} times in {file}"
        before = path.stat().st_mtime
        path.write_text(text, "utf-8")
        # A text as long as the last and of the same second looks unchanged to Python,
        # which would go on with the module that it has compiled.
        os.utime(path, (before + 1, before + 1))

    @contextmanager
    def serve(
        self,
        environment: dict[str, str] | None = None,
        *,
        workers: int = 2,
        port: int = 0,
        output: IO[bytes] | None = None,
    ) -> Iterator[Server]:
        """Serve it as its README does, on ``port`` or a free one, until the block ends.

        ``environment`` adds to the project's own.
        """
        port = port or free_port()
        process = self.start(port, workers, environment or {}, output)
        server = self.clients(process, port)
        try:
            eventually(server.is_ready)
            yield server
        finally:
            server.kill()

    def start(
        self,
        port: int,
        workers: int,
        environment: dict[str, str],
        output: IO[bytes] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start the server, in a process group of its own."""
        numbers = {"GRANIAN_PORT": str(port), "GRANIAN_WORKERS": str(workers)}
        return subprocess.Popen(
            [PYTHON, "-m", "granian", *OPTIONS, "config.wsgi:application"],
            cwd=self.folder,
            env=self.environment | numbers | environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


class RemoteKeys:
    """The library jose on Node.js, which fetches and keeps the keys of a server."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.process = subprocess.Popen(
            ["node", "verify.mjs", f"{server.url}/.well-known/jwks.json", "my_api"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.communicate()

    def read(self, token: str) -> dict[str, Any]:
        """Return the claims of a token, or why it is ``refused``."""
        assert self.process.stdin
        assert self.process.stdout
        print(token, file=self.process.stdin, flush=True)
        return dict(json.loads(self.process.stdout.readline()))


def install_jose(folder: Path) -> Path:
    """Install jose in ``folder``, or skip the test where there is no npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")
    shutil.copy(ROOT / "tests" / "verify.mjs", folder)
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "jose@6"]
    subprocess.run(command, cwd=folder, check=True)
    return folder


def claims(token: str) -> dict[str, Any]:
    """Read the claims of a token without a key."""
    return dict(jwt.decode(token, options={"verify_signature": False}))


def kid(token: str) -> str | None:
    """Read which key a token names."""
    return jwt.get_unverified_header(token).get("kid")


@contextmanager
def database_with_user(kind: str, folder: Path, **answers: str) -> Iterator[str]:
    """Yield the URL of a database for projects; it is dropped afterwards."""
    with empty_database(kind, folder) as url:
        Project(folder, url, **answers).add_user()
        yield url


@contextmanager
def empty_database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'db.sqlite3'}"
        return
    if POSTGRES_URL is None:
        pytest.skip("TEST_POSTGRES_URL names no PostgreSQL server")
    name = f"cookiecutter_{uuid4().hex}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template0")
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(create.format(sql.Identifier(name)))
        try:
            yield urlsplit(POSTGRES_URL)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(drop.format(sql.Identifier(name)))
