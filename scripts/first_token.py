"""Generate a project, serve it, and use its first access token.

    python scripts/first_token.py [FOLDER] [KEY=VALUE ...]

Types what a newcomer types, and prints how many commands that takes and how long.
``KEY=VALUE`` are answers; the others keep their defaults. The project uses SQLite and
its own virtual environment, and stays in FOLDER. Without FOLDER it is created in a
temporary folder and removed.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from cookiecutter.main import cookiecutter
from uv import find_uv_bin

TEMPLATE = Path(__file__).resolve().parent.parent
LOG = "output.log"  # what the project's commands and its server print
PASSWORD = secrets.token_urlsafe()
ADA = {"username": "ada", "email": "ada@example.com"}
# Packages go into the project, and nothing into the caller's environment or database.
OTHERS = re.compile("VIRTUAL_ENV|DATABASE_URL|EMAIL_URL|FRONTEND_URL|(DJANGO|JWT)_.*")
ENVIRONMENT = {
    **{name: text for name, text in os.environ.items() if not OTHERS.fullmatch(name)},
    "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    "UV_PYTHON": sys.executable,
}
urlopen = build_opener(ProxyHandler({})).open  # no proxy for this machine
taken: list[float] = []  # seconds of each command so far


@contextmanager
def typed(command: str) -> Iterator[None]:
    """Print a command, and how long the block takes that runs it."""
    print(f"\n$ {command}", flush=True)
    start = time.perf_counter()
    yield
    taken.append(time.perf_counter() - start)
    print(f"({taken[-1]:.1f} s)", flush=True)


def manage(project: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start ``uv run manage.py``, with its output in ``LOG``."""
    command = [find_uv_bin(), "run", "manage.py", *arguments]
    with (project / LOG).open("ab") as log:
        return subprocess.Popen(
            command, cwd=project, env=ENVIRONMENT, stdout=log, stderr=log
        )


def finish(project: Path, *arguments: str) -> None:
    """Run ``uv run manage.py``, or exit with its error."""
    if manage(project, *arguments).wait():
        raise SystemExit((project / LOG).read_text("utf-8"))


@contextmanager
def served(project: Path) -> Iterator[str]:
    """Serve the project on a free port of this machine, and yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    with typed(f"uv run manage.py migrate && uv run manage.py runserver {address}"):
        finish(project, "migrate")
        server = manage(project, "runserver", "--noreload", address)
        for _ in range(600):
            try:
                urlopen(f"http://{address}/health/live/", timeout=30).close()
                break
            except OSError:  # not yet
                time.sleep(0.05)
    try:
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait()


def curl(url: str, **body: str) -> Any:
    """Send a POST of ``body`` as curl does, and return the response."""
    shown = json.dumps({name: text[:40] for name, text in body.items()})
    with typed(f"curl {url} -H 'Content-Type: application/json' -d '{shown}'"):
        request = Request(url, json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)


def show_me(server: str, header_type: str, access: str) -> None:
    """Print an access token, and the account it belongs to."""
    request = Request(f"{server}/api/users/me/")
    request.add_header("Authorization", f"{header_type} {access}")
    with urlopen(request, timeout=30) as answer:
        me = json.dumps(json.load(answer), indent=2)
    print(f"\nThe access token is\n{access}\nand GET /api/users/me/ with it says\n{me}")


def sign_up(project: Path, server: str, name: dict[str, str]) -> None:
    """Create Ada's account with the link in the e-mail that the server prints."""
    curl(f"{server}/api/users/", email=ADA["email"])
    links, log = list[str](), project / LOG
    while not (links := re.findall(r"#token=(\S+)", log.read_text("utf-8"))):
        time.sleep(0.05)
    account = {"token": links[-1], "password": PASSWORD}
    curl(f"{server}/api/users/confirm/", **account | name)


def first_token(folder: str, answers: dict[str, str]) -> None:
    """Generate the project in ``folder``, log in, refresh, and use the tokens."""
    with typed(f"cookiecutter {TEMPLATE} {' '.join(map('='.join, answers.items()))}"):
        project = Path(
            cookiecutter(
                str(TEMPLATE),
                no_input=True,
                extra_context=answers,
                output_dir=folder,
                default_config=True,
            )
        )
    file = project / ".cookiecutter.json"
    chosen = json.loads(file.read_text("utf-8"))["cookiecutter"]
    field, header_type = chosen["login_field"], chosen["auth_header_type"].split(",")[0]
    with served(project) as server:
        if chosen["accounts"] == "open":
            sign_up(project, server, {} if field == "email" else {field: ADA[field]})
        else:
            options = [f"--{name}={ADA[name]}" for name in sorted({field, "email"})]
            with typed(f"uv run manage.py createsuperuser {' '.join(options)}"):
                finish(project, "createsuperuser", "--no-input", *options)
        login = {field: ADA[field], "password": PASSWORD}
        pair = curl(f"{server}/api/token/", **login)
        show_me(server, header_type, pair["access"])
        pair = curl(f"{server}/api/token/refresh/", refresh=pair["refresh"])
        show_me(server, header_type, pair["access"])
    print(f"\n{len(taken)} commands, {sum(taken):.1f} s from nothing to this token.")


if __name__ == "__main__":
    given = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
    folders = [word for word in sys.argv[1:] if "=" not in word]
    with tempfile.TemporaryDirectory() as temporary:
        first_token([*folders, temporary][0], given)
