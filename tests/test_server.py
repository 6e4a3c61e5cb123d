"""How the production server deals with connections."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import pytest
from cluster import Machine
from servers import HOST, PYTHON, Project, database_with_user

CONNECTIONS = 40


def sockets(process: int) -> int:
    """Count the sockets that a process has open."""
    files = Path(f"/proc/{process}/fd").iterdir()
    return sum("socket:" in os.path.realpath(file) for file in files)


def listening(port: int) -> int:
    """Count the sockets that wait for connections at a port."""
    lines = Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]
    found = [(line.split()[1].split(":")[1], line.split()[3]) for line in lines]
    return found.count((f"{port:04X}", "0A"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, as in CI")
def test_connections_are_spread_over_the_processes(tmp_path: Path) -> None:
    """Of one listening socket, a single process may take every connection."""
    with (
        database_with_user("sqlite", tmp_path / "database") as url,
        ExitStack() as stack,
    ):
        machine = Machine(Project(tmp_path / "project", url), tmp_path / "log")
        machine.start(WORKERS="2")
        stack.callback(machine.stop)
        end = time.monotonic() + 30
        while listening(machine.port) < 2 and time.monotonic() < end:
            time.sleep(0.05)  # the second process comes a moment later
        master = machine.process.pid
        children = Path(f"/proc/{master}/task/{master}/children").read_text("ascii")
        workers = [int(child) for child in children.split()]
        before = [sockets(worker) for worker in workers]
        clients = [HTTPConnection(HOST, machine.port) for _ in range(CONNECTIONS)]
        for client in clients:
            stack.callback(client.close)
            client.request("GET", "/health/live/")
        for client in clients:
            assert client.getresponse().read()
        taken = [
            sockets(worker) - old for worker, old in zip(workers, before, strict=True)
        ]
    assert len(taken) == 2
    assert min(taken) >= CONNECTIONS // 8


@pytest.mark.skipif(sys.platform == "win32", reason="gunicorn is not for Windows")
def test_all_processes_share_a_unix_socket(tmp_path: Path) -> None:
    """Of one for each, the last would take the place of all others."""
    with database_with_user("sqlite", tmp_path / "database") as url:
        project = Project(tmp_path / "project", url)
        done = subprocess.run(
            [PYTHON, "-m", "gunicorn", "--print-config"],
            cwd=project.folder,
            env=project.environment | {"BIND": f"unix:{tmp_path / 'socket'}"},
            capture_output=True,
            text=True,
            check=True,
        )
    assert re.search(r"^reuse_port += False$", done.stdout, re.MULTILINE)
