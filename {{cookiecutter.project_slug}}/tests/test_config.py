"""Settings: production takes everything from the environment, development needs nothing."""

import json
import logging
import re
import runpy
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from api.logs import RedactingJsonFormatter
from config.local import local_secret
from tests.conftest import each
from tests.production import VARIABLES, python
from tokens.keys import KeyRing

Development = Callable[..., dict[str, Any]]

REQUIRED = {
    "DJANGO_SECRET_KEY",
    "DJANGO_ALLOWED_HOSTS",
    "DATABASE_URL",
    "JWT_SIGNING_KEY",
    # jinja: if cookiecutter.accounts == "open"
    *("EMAIL_URL", "DEFAULT_FROM_EMAIL", "FRONTEND_URL"),
    # jinja: endif
}


def complaints(**environment: str) -> list[list[str]]:
    """Return the words of each line with which production refuses to start, sorted."""
    started = python("-c", "import config.settings.production", **environment)
    assert (started.returncode, started.stdout) == (1, "")
    assert "Traceback" not in started.stderr
    return sorted(line.replace(":", " ").split() for line in started.stderr.splitlines())


def test_a_complete_environment_starts() -> None:
    started = python("-c", "import config.wsgi")
    assert (started.returncode, started.stdout, started.stderr) == (0, "", "")


def test_static_files_that_were_not_collected_stop_the_start(tmp_path: Path) -> None:
    code = f"import config.settings.base as base; base.STATIC_ROOT = {str(tmp_path)!r}; import "
    for command in ("config.wsgi", "manage; manage.main()"):
        arguments = ("-c", code + command, "check", "--deploy")
        started = python(*arguments, DJANGO_SETTINGS_MODULE="config.settings.production")
        assert started.returncode == 1
        assert "manage.py collectstatic" in started.stderr
        assert "Traceback" not in started.stderr


def test_what_is_missing_is_named_in_one_line_each() -> None:
    """An empty variable counts as missing, since compose files pass empty ones."""
    empty = dict.fromkeys(REQUIRED, "") | {"LOG_LEVEL": " "}
    assert [name for name, *_ in complaints(**empty)] == sorted(REQUIRED)


UNUSABLE = {
    "DJANGO_SECRET_KEY": ["short", "x" * 49],
    "DJANGO_ALLOWED_HOSTS": ["api.example.com.", "https://api.example.com"],
    "DJANGO_SECRET_KEY_FALLBACKS": ["short", VARIABLES["DJANGO_SECRET_KEY"] + ", "],
    "DATABASE_URL": ["mysql://db/name", "postgresql://me@db:5/name?conn_max_age=60"],
    # jinja: if cookiecutter.accounts == "open"
    "EMAIL_URL": ["mail.example.com", "http://mail.example.com"],
    "DEFAULT_FROM_EMAIL": ["My API", "a@example.com, b@example.com"],
    "FRONTEND_URL": ["app.example.com", "https://app.example.com/#/"],
    # jinja: endif
    "CORS_ALLOWED_ORIGINS": ["https://.example.com", "https://a.example.com:0443,*"],
    "CSRF_TRUSTED_ORIGINS": ["https://a.example.com/admin", "null"],
    "TRUSTED_PROXIES": ["-1", "one"],
    "URL_PREFIX": ["backend", "/api/v1"],
    "REDIS_URL": ["redis://redis:6379/0", "anything"],
    "BIND": ["0.0.0.0:8000", "unix:/run/api"],
    "WORKERS": ["2", "auto"],
    "THREADS": ["4", "none"],
    "SECURE_SSL_REDIRECT": ["perhaps", "2"],
    "LOG_LEVEL": ["LOUD", "info?"],
    "JWT_SIGNING_KEY_FILE": ["missing.pem", "."],
}


@each("choice", 0, 1)
def test_what_is_unusable_is_named_in_one_line_each(choice: int) -> None:
    wrong = {name: values[choice] for name, values in UNUSABLE.items()}
    lines = complaints(**wrong, JWT_SIGNING_KEY="")
    assert [name for name, *_ in lines] == sorted(UNUSABLE)


def test_a_variable_and_its_file_are_not_both_set(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(VARIABLES["JWT_SIGNING_KEY"])
    both = {"JWT_VERIFYING_KEYS": "a", "JWT_VERIFYING_KEYS_FILE": str(path)}
    [first, second] = complaints(JWT_SIGNING_KEY_FILE=str(path), **both)
    assert {"JWT_SIGNING_KEY", "JWT_SIGNING_KEY_FILE"} <= {*first}
    assert {"JWT_VERIFYING_KEYS", "JWT_VERIFYING_KEYS_FILE"} <= {*second}


def test_everything_optional_is_taken_from_the_environment(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(VARIABLES["JWT_SIGNING_KEY"])
    code = (
        "import json, config.settings.production as settings;"
        "print(json.dumps({k: v for k, v in vars(settings).items() if k.isupper()}, default=str))"
    )
    environment = {
        "DATABASE_URL": "postgresql://me@db:5/x",
        "JWT_SIGNING_KEY": "",
        "JWT_SIGNING_KEY_FILE": str(key),
        "JWT_ISSUER": "https://issuer.example.com",
        "JWT_AUDIENCE": "others",
        "CORS_ALLOWED_ORIGINS": "https://App.Example.com:443/, capacitor://localhost,http://[::1]:80",
        "CSRF_TRUSTED_ORIGINS": "https://a.example.com:8443",
        "TRUSTED_PROXIES": "1",
        "URL_PREFIX": "/backend/",
        "SECURE_SSL_REDIRECT": "false",
    }
    started = python("-c", code, **environment)
    assert started.returncode == 0, started.stderr
    settings = json.loads(started.stdout)
    assert settings["DATABASES"]["default"]["OPTIONS"]["pool"]
    assert settings["SIMPLE_JWT"]["ISSUER"] == "https://issuer.example.com"
    assert settings["SIMPLE_JWT"]["AUDIENCE"] == "others"
    origins = ["https://app.example.com", "capacitor://localhost", "http://[::1]"]
    assert settings["CORS_ALLOWED_ORIGINS"] == origins
    assert settings["CSRF_TRUSTED_ORIGINS"] == ["https://a.example.com:8443"]
    assert settings["REST_FRAMEWORK"]["NUM_PROXIES"] == 1
    assert settings["FORCE_SCRIPT_NAME"] == settings["SPECTACULAR_SETTINGS"]["SERVERS"][0]["url"]
    assert re.match(settings["SECURE_REDIRECT_EXEMPT"][0], "backend/health/live/")
    assert settings["SECURE_PROXY_SSL_HEADER"][1] == "https"
    assert settings["JWT_SIGNING_KEY"] == VARIABLES["JWT_SIGNING_KEY"].strip()


@pytest.fixture
def development(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Development:
    """Return the development settings with only these variables, in a new folder."""

    def development(**variables: str) -> dict[str, Any]:
        for name in ("DATABASE_URL", "DJANGO_ALLOWED_HOSTS", "CORS_ALLOWED_ORIGINS"):
            monkeypatch.setenv(name, variables.get(name, ""))
        return runpy.run_module("config.settings.development")

    monkeypatch.setattr("config.settings.base.BASE_DIR", tmp_path)
    return development


def test_development_needs_no_settings(development: Development, tmp_path: Path) -> None:
    """Its secrets are created on first use, and kept."""
    first, again = development(), development()
    assert Path(first["DATABASES"]["default"]["NAME"]).parent == tmp_path / ".local"
    assert first["DATABASES"]["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert KeyRing(first["ALGORITHM"], first["JWT_SIGNING_KEY"], "").signing
    assert first["SECRET_KEY"] not in first["JWT_SIGNING_KEY"]
    for name in ("SECRET_KEY", "JWT_SIGNING_KEY"):
        assert first[name] == again[name]
    for path in (tmp_path / ".local").iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_a_local_secret_is_one_for_all_who_start_at_once(tmp_path: Path) -> None:
    workers = 8
    barrier = threading.Barrier(workers)

    def start(path: Path) -> str:
        barrier.wait()
        return local_secret(path, lambda: str(uuid4()))

    with ThreadPoolExecutor(workers) as pool:
        for number in range(10):
            path = tmp_path / "local" / str(number)
            assert len(set(pool.map(start, [path] * workers))) == 1
            assert local_secret(path, str) == path.read_text()
    assert len(list((tmp_path / "local").iterdir())) == 10


@each(
    "origin, may_call",
    *(("http://localhost:5173", True), ("https://127.0.0.1", True)),
    *(("http://localhost.evil.example", False), ("http://evil.example/localhost", False)),
    ("http://192.168.0.7:5173", True),
)
def test_pages_of_localhost_may_call_the_api_in_development(
    client: APIClient, settings: Settings, development: Development, origin: str, may_call: bool
) -> None:
    """So may origins that the environment names, as in production."""
    names = {"DJANGO_ALLOWED_HOSTS": "10.0.2.2", "CORS_ALLOWED_ORIGINS": "http://192.168.0.7:5173"}
    own = development(**names)
    for name in ("ALLOWED_HOSTS", "CORS_ALLOWED_ORIGINS", "CORS_ALLOWED_ORIGIN_REGEXES"):
        setattr(settings, name, own[name])
    response = client.get("/api/users/me/", headers={"Origin": origin, "Host": "10.0.2.2"})
    assert response.status_code == 401
    assert ("Access-Control-Allow-Origin" in response.headers) is may_call
    if may_call:
        exposed = response.headers["Access-Control-Expose-Headers"]
        assert exposed == "Retry-After, X-Request-ID"


def test_a_log_line_is_json_without_tokens_and_addresses() -> None:
    """It does not matter where they are, and what is next to them."""
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    address = 'ada@example.com"'
    try:
        raise RuntimeError(f"Key (email)=({address}) exists; token={token}\n")
    except RuntimeError:
        found = sys.exc_info()
    record = logging.LogRecord("here", logging.ERROR, "", 0, 'for "%s: %s', (address, token), found)
    record.addresses = {address: [address, (token,), ValueError(address), 1, None]}
    line = RedactingJsonFormatter().format(record)
    assert json.loads(line).keys() >= {"levelname", "name", "message", "timestamp", "exc_info"}
    assert json.loads(line)["message"] == 'for "[redacted]": [redacted]'
    for part in ("ada@", "example.com", *token.split(".")):
        assert part not in line
