"""The OpenAPI document of a served project, read by a linter, a fuzzer and clients."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, SETTINGS
from development import PASSWORD, USER, Development

CLAIMS = "email, groups, last_login, role:str=member, org:uuid, since:date=2026-01-31"
WAYS = [
    {"refresh_token_in": way, "accounts": accounts, "extra_claims": CLAIMS}
    for way in SETTINGS["refresh_token_in"]
    for accounts in SETTINGS["accounts"]
]
PACKAGES = "@redocly/cli@2 openapi-typescript@7 openapi-fetch @hey-api/openapi-ts"
#: Rules of redocly that a Django project breaks on purpose or leaves to its owner.
ALLOWED = {"no-path-trailing-slash", "info-license"}

pytestmark = pytest.mark.full


@pytest.fixture(
    scope="module", params=WAYS, ids=lambda way: "-".join([*way.values()][:2])
)
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Development]:
    """Yield a project in which Ada is a user, served with errors as in production."""
    project = Development(tmp_path_factory.mktemp("project"), **request.param)
    project.add_user()
    settings = "from config.settings.development import *\n\nDEBUG = False\n"
    (project.folder / "undebugged.py").write_text(settings)
    with project.serve(DJANGO_SETTINGS_MODULE="undebugged"):
        document = urllib.request.urlopen(f"{project.url}/api/schema/").read()
        (project.folder / "openapi.json").write_bytes(document)
        yield project


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the generators, and the clients for their output."""
    if not shutil.which("npm"):
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("node")
    shutil.copytree(ROOT / "tests" / "clients", folder, dirs_exist_ok=True)
    install = f"npm install --silent --no-audit --no-fund {PACKAGES}"
    packages = "typescript@5 @types/node@20"
    subprocess.run([*install.split(), *packages.split()], cwd=folder, check=True)
    return folder


def npx(node: Path, *command: str) -> subprocess.CompletedProcess[str]:
    call = ["npx", "--no-install", *command]
    return subprocess.run(call, cwd=node, capture_output=True, text=True)


def test_a_linter_finds_nothing(project: Development, node: Path) -> None:
    document = str(project.folder / "openapi.json")
    rules = ["--extends", "recommended", "--format", "checkstyle"]
    report = npx(node, "redocly", "lint", document, *rules).stdout
    found = {
        line.split('source="')[1] for line in report.splitlines() if "source=" in line
    }
    assert {source.partition('"')[0] for source in found} <= ALLOWED, report


def test_generated_clients_log_in_refresh_and_log_out(
    project: Development, node: Path
) -> None:
    document = str(project.folder / "openapi.json")
    client = ["-c", "@hey-api/client-fetch"]
    for command in (
        ["openapi-typescript", document, "-o", "schema.ts"],
        ["openapi-ts", "-i", document, "-o", "hey", *client],
        ["tsc", "--project", "."],
    ):
        done = npx(node, *command)
        assert done.returncode == 0, done.stdout + done.stderr
    for name in ("fetch", "hey"):
        run = ["node", f"built/{name}.js", project.url, USER["username"], PASSWORD]
        done = subprocess.run(run, cwd=node, capture_output=True, text=True)
        assert done.stdout.split() == ["member", "200", "200", "401"], done.stderr


# Operations that end the login, which the others need.
LAST = [
    "--exclude-operation-id",
    "end_all_sessions",
    "--exclude-operation-id",
    "delete_me",
]
ENDS = [option.replace("exclude", "include") for option in LAST]


#: With the cookie no schema can say that a client that is no browser has to send the
#: token. And at logout, which takes any text, schemathesis 4.32 reports an empty text
#: as shorter than a ``minLength`` that the document does not have.
COOKIE = """
[[operations]]
include-operation-id = "refresh"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403"]

[[operations]]
include-operation-id = "logout"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "403"]
checks.negative_data_rejection.expected-statuses = ["200", "400", "401", "403", "415"]
"""


@pytest.mark.parametrize("operations", [ENDS, LAST], ids=["ends", "others"])
def test_a_fuzzer_finds_nothing(
    project: Development, operations: list[str], tmp_path: Path
) -> None:
    """It runs all checks, also with operations in sequence."""
    config = (ROOT / "tests" / "clients" / "schemathesis.toml").read_text("utf-8")
    if (project.folder / "tokens" / "cookies.py").exists():
        config += COOKIE
    (tmp_path / "schemathesis.toml").write_text(config)
    login = json.dumps({"username": USER["username"], "password": PASSWORD}).encode()
    request = urllib.request.Request(f"{project.url}/api/token/", login)
    request.add_header("Content-Type", "application/json")
    access = json.load(urllib.request.urlopen(request))["access"]
    command = [str(Path(sys.executable).parent / "schemathesis"), "--config-file"]
    command += [str(tmp_path / "schemathesis.toml"), "run"]
    command += [f"{project.url}/api/schema/", "-H", f"Authorization: Bearer {access}"]
    command += ["--checks", "all", "--max-examples", "50", "--seed", "1", "--no-color"]
    done = subprocess.run([*command, *operations], capture_output=True, text=True)
    print(done.stdout[-2000:])
    assert done.returncode == 0, done.stdout[-8000:]
