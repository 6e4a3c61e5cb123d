"""Several machines in miniature: servers behind nginx, and one PostgreSQL.

The servers are ports of this machine. PostgreSQL is started here, so that it can
be stopped while requests are running.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Thread
from typing import Any

from servers import (
    HOST,
    PASSWORD,
    Project,
    Server,
    claims,
    eventually,
    free_port,
)

MACHINES = 3
BROKEN = 0  # stands for a broken connection among the status codes
CLIENTS = 32
ROOT_USER = sys.platform != "win32" and os.geteuid() == 0


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(timeout=60)


class Postgres:
    """A separate PostgreSQL server, which refuses to run as root."""

    def __init__(self) -> None:
        newest = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
        search = os.pathsep.join([*map(str, newest), os.environ["PATH"]])
        self._bin = {
            name: str(shutil.which(name, path=search)) for name in ("initdb", "pg_ctl")
        }
        self._user = {"user": "postgres", "group": "postgres"} if ROOT_USER else {}
        self._folder = Path(tempfile.mkdtemp())
        if ROOT_USER:
            shutil.chown(self._folder, "postgres", "postgres")
        self._run("initdb", "-A", "trust", "-U", "postgres", "--no-sync")
        self.port = free_port()
        self.url = f"postgresql://postgres@{HOST}:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -h {HOST} -k {self._folder} -F"
        self._run("pg_ctl", "start", "-w", "-o", options, "-l", str(self._data("log")))

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-w", "-m", "fast")

    def remove(self) -> None:
        if self._data("postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self._folder)

    def _data(self, name: str) -> Path:
        return self._folder / "data" / name

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin[program], "-D", str(self._data("")), *arguments],
            check=True,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            **self._user,  # type: ignore[call-overload]
        )


class Machine(Server):
    """A server that keeps its port when it is restarted."""

    def __init__(self, project: Project, log: Path) -> None:
        self.project = project
        self.log = log
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"

    def start(self, **environment: str) -> None:
        with self.log.open("ab") as output:
            self.process = self.project.start(self.port, 1, environment, output)
        eventually(self._lives)

    def _lives(self) -> bool:
        assert self.process.poll() is None, self.log.read_text("utf-8")
        return self.get("/health/live/").status == 200

    def stop(self) -> None:
        """Stop it with SIGTERM, like an operator."""
        os.kill(self.process.pid, signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0

    def restart(self, **environment: str) -> None:
        self.stop()
        self.start(**environment)


#: What the operations page recommends: connections are kept, and a request that a
#: dying server did not answer goes to the next one. Sending a refresh twice is
#: harmless, since both get the same response in the grace period.
NGINX = """\
{user}
daemon off;
pid {folder}/pid;
error_log {folder}/log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream api {{
        {servers}
        keepalive 16;
    }}
    server {{
        listen {host}:{port};
        location / {{
            proxy_pass http://api;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_next_upstream error timeout non_idempotent;
        }}
    }}
}}
"""


class Cluster:
    """``MACHINES`` machines behind a proxy, whose ``port`` clients call."""

    def __init__(self, project: Project, folder: Path, postgres: Postgres) -> None:
        self.project = project
        self.postgres = postgres
        self.port = free_port()
        self.machines = [
            Machine(project, folder / f"machine{number}.log")
            for number in range(MACHINES)
        ]

    def logs(self) -> str:
        return "".join(machine.log.read_text("utf-8") for machine in self.machines)

    @contextmanager
    def running(self, folder: Path) -> Iterator[Cluster]:
        folder.mkdir()
        config = folder / "nginx.conf"
        servers = "".join(
            f"server {HOST}:{each.port} max_fails=0;" for each in self.machines
        )
        config.write_text(
            NGINX.format(
                user="user root;" if ROOT_USER else "",
                folder=folder,
                servers=servers,
                host=HOST,
                port=self.port,
            )
        )
        with ExitStack() as stack:
            for machine in self.machines:
                machine.start()
                stack.callback(machine.kill)
            nginx = subprocess.Popen(
                ["nginx", "-c", str(config), "-e", str(folder / "log")]
            )
            stack.callback(stop, nginx)
            proxy = Server(nginx, self.port)
            eventually(lambda: proxy.get("/health/ready/").status == 200)
            yield self


class Client(Thread):
    """Logs in, reads and refreshes in a loop, and checks that its session never forks.

    It tries again after a 503 or a broken connection, as clients should. ``answers``
    counts status codes, ``BROKEN``, and wrong successors as ``"fork"``.
    """

    def __init__(self, port: int, number: int, over: Event) -> None:
        super().__init__(daemon=True)
        self.over = over
        self.user = f"person{number}"
        self.answers: Counter[int | str] = Counter()
        self.refreshes = 0
        # Each has its own address, like real clients.
        address = (f"127.0.1.{number + 1}", 0)
        self.connection = HTTPConnection(HOST, port, 60, source_address=address)

    def run(self) -> None:
        while not self.over.is_set():
            pair = self.call("/api/token/", username=self.user, password=PASSWORD)
            for _ in range(10):
                if pair is None:
                    break
                for _ in range(3):
                    self.call("/api/users/me/", access=pair["access"])
                after = self.call("/api/token/refresh/", refresh=pair["refresh"])
                if after is not None:
                    self.compare(pair["refresh"], after["refresh"])
                    self.refreshes += 1
                pair = after
            else:
                assert pair is not None
                self.call("/api/token/blacklist/", refresh=pair["refresh"])

    def compare(self, before: str, after: str) -> None:
        old, new = claims(before), claims(after)
        if (old["sid"], old["seq"] + 1) != (new["sid"], new["seq"]):
            self.answers["fork"] += 1

    def call(self, path: str, access: str = "", **body: str) -> Any:
        """Return the response's JSON, or None if its status is not 200."""
        headers = {"Content-Type": "application/json"}
        if access:
            headers["Authorization"] = f"Bearer {access}"
        method = "POST" if body else "GET"
        while True:
            try:
                self.connection.request(method, path, json.dumps(body), headers)
                response = self.connection.getresponse()
                status, text = response.status, response.read()
            except (OSError, HTTPException):
                self.connection.close()
                status, text = BROKEN, b'{"detail": ""}'
            self.answers[status] += 1
            if status not in {503, BROKEN} or self.over.is_set():
                return json.loads(text) if status == 200 else None
            assert "detail" in json.loads(text)
            time.sleep(0.2)


class Load:
    """``CLIENTS`` clients that work until the block ends."""

    def __init__(self, port: int) -> None:
        self.over = Event()
        self.clients = [Client(port, number, self.over) for number in range(CLIENTS)]

    def __enter__(self) -> Load:
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.over.set()
        for client in self.clients:
            client.join(timeout=60)
            client.connection.close()

    @property
    def answers(self) -> Counter[int | str]:
        """Return how many responses of each status there were so far."""
        return sum((client.answers.copy() for client in self.clients), Counter())

    def until_all_refresh(self) -> None:
        """Wait until every client has tokens that are newer than this call."""
        before = [client.refreshes for client in self.clients]
        eventually(
            lambda: all(
                client.refreshes > count + 1
                for client, count in zip(self.clients, before, strict=True)
            ),
            60,
        )
