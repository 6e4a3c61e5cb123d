"""Generate a project, serve it, and show its first access token at work.

    python scripts/first_token.py [FOLDER]

The project gets the default answers, SQLite and a virtual environment of its own. It
stays in FOLDER; without one it is made in a temporary folder and removed.
"""

from __future__ import annotations

import base64
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
PASSWORD = secrets.token_urlsafe()
# Packages go into the project, and nothing into the caller's environment or database.
OTHERS = re.compile("VIRTUAL_ENV|DATABASE_URL|REDIS_URL|(DJANGO|JWT)_.*")
ENVIRONMENT = {
    **{name: text for name, text in os.environ.items() if not OTHERS.fullmatch(name)},
    "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
}
urlopen = build_opener(ProxyHandler({})).open  # this machine needs no proxy


def install(project: Path) -> None:
    """Make the project's virtual environment, with the Python that runs this."""
    options = ("--quiet", "--no-dev", "--python", sys.executable)
    command = [find_uv_bin(), "sync", *options]
    if subprocess.run(command, cwd=project, env=ENVIRONMENT).returncode:
        raise SystemExit("The packages could not be installed: uv says why above.")


def manage(project: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Start ``manage.py`` of the project; the server's own log is not shown."""
    python = project / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    command = [str(python), "manage.py", *arguments]
    errors = subprocess.DEVNULL if "runserver" in arguments else None
    return subprocess.Popen(
        command,
        cwd=project,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=errors,
    )


def add_user(project: Path) -> None:
    """Make the tables, and Ada."""
    user = ("--username", "ada", "--email", "ada@example.com")
    for arguments in (["migrate"], ["createsuperuser", "--no-input", *user]):
        if manage(project, *arguments).wait():
            raise SystemExit(f"manage.py {arguments[0]} failed")


@contextmanager
def served(project: Path) -> Iterator[str]:
    """Serve the project on a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    server = manage(project, "runserver", "--noreload", "--skip-checks", address)
    try:
        for _ in range(300):
            try:
                urlopen(f"http://{address}/health/live/", timeout=30).close()
                break
            except OSError:  # not yet
                time.sleep(0.1)
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait()


def call(url: str, access: str | None = None, **body: str) -> Any:
    """Return the answer to a GET, or to a POST of ``body``."""
    request = Request(url, headers={"Content-Type": "application/json"})
    if access:
        request.add_header("Authorization", f"Bearer {access}")
    if body:
        request.data = json.dumps(body).encode()
    with urlopen(request, timeout=30) as answer:
        return json.load(answer)


def payload(token: str) -> Any:
    """Return what a token says."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def show(title: str, value: object) -> None:
    """Print one result."""
    text = value if isinstance(value, str) else json.dumps(value, indent=2)
    print(f"\n{title}\n{text}", flush=True)


def first_token(folder: str) -> None:
    """Generate the project in ``folder``, log in, refresh, and use the tokens."""
    project = Path(
        cookiecutter(
            str(TEMPLATE),
            no_input=True,
            output_dir=folder,
            default_config=True,
            accept_hooks=False,
        )
    )
    print(f"Generated {project}. Installing its packages ...", flush=True)
    install(project)
    add_user(project)
    with served(project) as server:
        login = call(f"{server}/api/token/", username="ada", password=PASSWORD)
        show("POST /api/token/ gave Ada her first access token:", login["access"])
        show("It says:", payload(login["access"]))
        me = call(f"{server}/api/users/me/", login["access"])
        show("GET /api/users/me/ with it:", me)
        renewed = call(f"{server}/api/token/refresh/", refresh=login["refresh"])
        show("POST /api/token/refresh/ gave the next one:", renewed["access"])
        me = call(f"{server}/api/users/me/", renewed["access"])
        show("GET /api/users/me/ with that:", me)


if __name__ == "__main__":
    if sys.argv[1:]:
        first_token(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            first_token(temporary)
