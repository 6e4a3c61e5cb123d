"""Rendered projects in development, started the way their README says."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.request import urlopen

from conftest import render
from servers import HOST, PYTHON

#: The user whom the README, ``api.http`` and the OpenAPI examples log in.
USER = {"username": "ada", "email": "ada@example.com"}
PASSWORD = "correct horse battery"

# Replacements for the tools that would install packages, which are there already.
TOOLS = {
    "uv": f"""
shift
case $1 in
  *.py) exec {PYTHON} "$@" ;;
  python) shift; exec {PYTHON} "$@" ;;
  *) exec {PYTHON} -m "$@" ;;
esac
""",
    "uvx": f'exec {sys.executable} -m "$@"',
    "pipx": f'shift; exec {sys.executable} -m "$@"',
    "docker": 'shift 5; exec "$@"',  # compose run --rm --no-deps app
    "python": f'exec {PYTHON} "$@"',
}


class Development:
    """A rendered project in ``folder``, and a shell to type commands into."""

    def __init__(self, folder: Path, **answers: str) -> None:
        self.folder = render(folder, **answers)
        with socket.create_server((HOST, 0)) as listener:
            self.address = f"{HOST}:{listener.getsockname()[1]}"
        self.url = f"http://{self.address}"
        printed = (f"{HOST}:8000", "localhost:8000")
        self.shell = Shell(folder / "tools", dict.fromkeys(printed, self.address))

    def manage(self, *arguments: str) -> None:
        """Run ``manage.py``."""
        command = [PYTHON, "manage.py", *arguments]
        environment = {**os.environ, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        subprocess.run(command, cwd=self.folder, env=environment, check=True)

    def add_user(self) -> None:
        """Create the tables, and Ada."""
        names = {self.answer("login_field"), "email"}
        self.manage("migrate", "--verbosity=0")
        options = [f"--{name}={USER[name]}" for name in names]
        self.manage("createsuperuser", "--no-input", "--verbosity=0", *options)

    def answer(self, key: str) -> str:
        """Return one of the answers it was rendered with."""
        return str(json.loads(self.read(".cookiecutter.json"))["cookiecutter"][key])

    def read(self, file: str) -> str:
        return (self.folder / file).read_text("utf-8")

    @contextmanager
    def serve(
        self,
        command: str = "uv run manage.py runserver",
        output: int | IO[str] = subprocess.DEVNULL,
        **environment: str,
    ) -> Iterator[str]:
        """Type the command that serves the project, and yield the server's URL."""
        if command.endswith("runserver"):
            command = f"{command} --noreload {self.address}"
        with self.shell.running(command, self.folder, environment, output):
            for _ in range(2400):
                try:
                    urlopen(f"{self.url}/health/live/", timeout=30).close()
                    break
                except OSError:  # not yet
                    time.sleep(0.05)
            yield self.url


@contextmanager
def served(folder: Path, **answers: str) -> Iterator[Development]:
    """Serve a project in which Ada is a user."""
    project = Development(folder, **answers)
    project.add_user()
    with project.serve():
        yield project


class Shell:
    """Runs commands of documents, with their addresses replaced."""

    def __init__(self, tools: Path, addresses: dict[str, str]) -> None:
        self.addresses = addresses
        self.environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
        self.environment.pop("DJANGO_SETTINGS_MODULE", None)
        tools.mkdir(exist_ok=True)
        for name, script in TOOLS.items():
            (tools / name).write_text(f"#!/bin/sh\n{script}\n")
            (tools / name).chmod(0o700)

    def run(self, command: str, folder: Path, keys: str = "") -> str:
        """Type ``command``, which must succeed, and return its output."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self._addressed(command)],
            cwd=folder,
            env=self.environment,
            input=keys,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @contextmanager
    def running(
        self,
        command: str,
        folder: Path,
        environment: dict[str, str],
        output: int | IO[str] = subprocess.DEVNULL,
    ) -> Iterator[None]:
        """Type ``command``, which does not end by itself."""
        process = subprocess.Popen(
            ["bash", "-euc", self._addressed(command)],
            cwd=folder,
            env=self.environment | environment,
            stdout=output,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield
        finally:
            # A worker that is still starting does not hear SIGTERM.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _addressed(self, command: str) -> str:
        for printed, real in self.addresses.items():
            command = command.replace(printed, real)
        return command
