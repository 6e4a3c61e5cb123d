"""Production refuses to start, with one line, if a variable is missing or wrong."""

from __future__ import annotations

import re
import subprocess

import pytest
from servers import OPTIONS, PYTHON, Project

REQUIRED = [
    "DJANGO_SECRET_KEY",
    "DJANGO_ALLOWED_HOSTS",
    "DATABASE_URL",
    "JWT_SIGNING_KEY",
]
UNUSABLE = [
    ("DJANGO_SECRET_KEY", "x" * 49),
    ("DJANGO_SECRET_KEY", "django-insecure-" + "abcdefghij" * 5),
    ("DJANGO_ALLOWED_HOSTS", "*"),
    ("DJANGO_ALLOWED_HOSTS", "https://api.example.com"),
    ("DATABASE_URL", "rubbish"),
    ("DATABASE_URL", "mysql://user:password@host/name"),
    ("DATABASE_URL", "postgresql://host:notaport/name"),
    ("JWT_SIGNING_KEY", "too short"),
    ("JWT_SIGNING_KEY", "-----BEGIN PRIVATE KEY-----"),
    ("JWT_VERIFYING_KEYS", "too short"),
    ("DATABASE_URL", "postgresql://host/name?conn_max_age=60"),
    ("DATABASE_URL", "sqlite:///db.sqlite3?conn_max_age=60"),
    ("REDIS_URL", "redis://redis:6379/0"),
    ("BIND", "0.0.0.0:8000"),
    ("WORKERS", "2"),
    ("THREADS", "4"),
    ("CORS_ALLOWED_ORIGINS", "https://app.example.com/path"),
    ("CSRF_TRUSTED_ORIGINS", "api.example.com"),
    ("URL_PREFIX", "/api"),
    ("CORS_ALLOWED_ORIGINS", "app.example.com"),
    ("CORS_ALLOWED_ORIGINS", "*"),
    ("TRUSTED_PROXIES", "-1"),
    ("TRUSTED_PROXIES", "two"),
    ("SECURE_SSL_REDIRECT", "perhaps"),
    ("LOG_LEVEL", "LOUD"),
    ("JWT_SIGNING_KEY_FILE", "both are set"),
    ("JWT_VERIFYING_KEYS_FILE", "no such file"),
]
STARTS = {
    "manage": ["manage.py", "migrate"],
    "server": ["-c", "import config.wsgi"],
    "granian": ["-m", "granian", *OPTIONS, "--port=0", "config.wsgi:application"],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("refusals"), "sqlite:///:memory:")


def refusal(project: Project, start: str, environment: dict[str, str]) -> str:
    """Start the project, assert that it exits, and return its output."""
    done = subprocess.run(
        [PYTHON, *STARTS[start]],
        cwd=project.folder,
        env=environment,
        capture_output=True,
        timeout=60,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("start", ["manage", "server"])
@pytest.mark.parametrize("empty", [False, True], ids=["unset", "empty"])
@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_variable_is_named_in_one_line(
    project: Project, start: str, empty: bool, name: str
) -> None:
    environment = dict(project.environment)
    environment |= {name: ""} if empty else {}
    if not empty:
        del environment[name]
    said = refusal(project, start, environment)
    assert re.fullmatch(rf"{name}: [^\n]+\n", said)


@pytest.mark.full
@pytest.mark.parametrize("start", ["manage", "server"])
@pytest.mark.parametrize(("name", "value"), UNUSABLE)
def test_an_unusable_value_is_named_and_not_repeated(
    project: Project, start: str, name: str, value: str
) -> None:
    said = refusal(project, start, project.environment | {name: value})
    assert name in said
    assert project.environment["JWT_SIGNING_KEY"] not in said
    if start == "server":
        assert re.fullmatch(rf"[^\n]*\b{name}\b[^\n]+\n", said)


def test_all_that_is_missing_is_said_at_once(project: Project) -> None:
    environment = {
        name: value
        for name, value in project.environment.items()
        if name not in REQUIRED
    }
    said = refusal(project, "manage", environment)
    assert {line.split(":")[0] for line in said.splitlines()} == set(REQUIRED)


def test_the_server_ends_too_and_says_why(project: Project) -> None:
    said = refusal(project, "granian", project.environment | {"LOG_LEVEL": "-"})
    assert "LOG_LEVEL: " in said
