"""The OpenAPI document of a served project: for linters, fuzzers and generated clients."""

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
from development import PASSWORD, USER, Development, served

CLAIMS = "email, groups, last_login, role:str=member, org:uuid, since:date=2026-01-31"
WAYS = [
    {"refresh_token_in": way, "accounts": accounts, "extra_claims": CLAIMS}
    for way in SETTINGS["refresh_token_in"]
    for accounts in SETTINGS["accounts"]
]
PACKAGES = "@redocly/cli@2 openapi-typescript@7 openapi-fetch @hey-api/openapi-ts"
#: Rules of redocly that a Django project breaks on purpose, or its owner decides.
ALLOWED = {"no-path-trailing-slash", "info-license"}

pytestmark = pytest.mark.full


@pytest.fixture(scope="module", params=WAYS, ids=lambda way: "-".join(way.values()))
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Development]:
    with served(tmp_path_factory.mktemp("project"), **request.param) as project:
        document = urllib.request.urlopen(f"{project.url}/api/schema/").read()
        (project.folder / "openapi.json").write_bytes(document)
        yield project


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the generators, and with clients written for their output."""
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


def test_a_fuzzer_finds_nothing(project: Development) -> None:
    """With all checks, and operations in sequence; 429 is one of the answers."""
    login = json.dumps({"username": USER["username"], "password": PASSWORD}).encode()
    request = urllib.request.Request(f"{project.url}/api/token/", login)
    request.add_header("Content-Type", "application/json")
    access = json.load(urllib.request.urlopen(request))["access"]
    command = [str(Path(sys.executable).parent / "schemathesis"), "run"]
    options = ["--checks", "all", "--max-examples", "50", "--seed", "1", "--no-color"]
    header = ["-H", f"Authorization: Bearer {access}"]
    url = f"{project.url}/api/schema/"
    command += [url, *options, *header]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-8000:]
