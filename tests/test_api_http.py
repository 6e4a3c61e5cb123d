"""The request files of a rendered project, run by clients against its server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from development import Development, served

OTHERS = {
    "login_field": "email",
    "auth_header_type": "JWT, Bearer",
    "accounts": "open",
}
COOKIE = {"refresh_token_in": "cookie"}
ANSWERS = [
    pytest.param({}, id="defaults"),
    pytest.param(OTHERS, id="others", marks=pytest.mark.full),
    pytest.param(COOKIE, id="cookie", marks=pytest.mark.full),
    pytest.param(OTHERS | COOKIE, id="others and cookie", marks=pytest.mark.full),
]


@pytest.fixture(scope="module", params=ANSWERS)
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Development]:
    with served(tmp_path_factory.mktemp("project"), **request.param) as project:
        yield project


@pytest.fixture(scope="session")
def httpyac(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return httpYac's command: the one in HTTPYAC, or a new installation."""
    if command := os.environ.get("HTTPYAC") or shutil.which("httpyac"):
        return command
    if not shutil.which("npm"):
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("httpyac")
    command = "npm install --silent --no-audit --no-fund httpyac@6"
    subprocess.run(command.split(), cwd=folder, check=True)
    return str(folder / "node_modules" / ".bin" / "httpyac")


def requests_of(project: Development, file: str) -> str:
    text = project.read(file)
    assert "http://127.0.0.1:8000" in text
    return text.replace("http://127.0.0.1:8000", project.url)


def expected(title: str) -> int:
    """Read the status that a request's title names: ``1. Log in: 200``."""
    return int(title.rpartition(":")[2])


def test_every_request_of_api_http_answers_as_its_title_says(
    project: Development, httpyac: str, tmp_path: Path
) -> None:
    (tmp_path / "api.http").write_text(requests_of(project, "api.http"), "utf-8")
    command = [httpyac, "send", "api.http", "--all", "--json", "--output", "response"]
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, check=True)
    answers = json.loads(done.stdout)["requests"]
    titles = re.findall("^### (.+)$", project.read("api.http"), re.M)
    assert [answer["title"] for answer in answers] == titles
    assert len(titles) == (13 if project.answer("accounts") == "open" else 9)
    for answer in answers:
        assert not answer["testResults"], answer["testResults"]
        assert answer["response"]["statusCode"] == expected(answer["title"])


def test_every_request_of_api_rest_answers_as_its_title_says(
    project: Development,
) -> None:
    """This follows the rules of the REST Client, which runs in VS Code only."""
    head, *blocks = re.split("^### ", requests_of(project, "api.rest"), flags=re.M)
    variables = dict(re.findall(r"^@(\w+) = (.+)$", head, re.M))
    answers: dict[str, Any] = {}

    def value(match: re.Match[str]) -> str:
        name, *path = match[1].split(".")
        if not path:
            return str(variables[name])
        assert path[:2] == ["response", "body"]
        return str(answers[name][path[2]])

    for block in blocks:
        title, *lines = block.splitlines()
        name = re.search(r"^# @name (\w+)$", block, re.M)
        text = "\n".join(line for line in lines if not line.startswith(("#", "//")))
        text = re.sub(r"\{\{(.+?)\}\}", value, text)
        head, _, body = text.strip().partition("\n\n")
        line, *headers = head.split("\n")
        method, url = line.split(" ")
        request = Request(url, data=body.encode() or None, method=method)
        for header in headers:
            request.add_header(*header.split(": ", 1))
        try:
            response = urlopen(request, timeout=30)
        except HTTPError as error:
            response = error
        with response:
            assert response.status == expected(title), title
            if name:
                answers[name[1]] = json.load(response)


def test_both_files_say_the_same(project: Development) -> None:
    def titles(file: str) -> list[str]:
        return re.findall(r"^(?:###|GET|POST|@\w+) .+$", project.read(file), re.M)

    assert titles("api.http") == titles("api.rest")
