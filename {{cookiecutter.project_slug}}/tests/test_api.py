"""The conventions of the API: its OpenAPI document, health checks and error reports."""

import base64
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock, patch
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.signals import got_request_exception
from django.db import OperationalError, connection
from django.urls import reverse
from django.views.debug import ExceptionReporter
from jsonschema import Draft202012Validator, FormatChecker
from rest_framework.test import APIClient
from rest_framework_simplejwt.settings import api_settings

from api.schema import describe_errors
from tests.conftest import HEADER_TYPE, Login, credentials, payload, refresh
from tests.factories import PASSWORD
from tokens import sessions
from users.models import User

# Every operation: its name, and the responses that do not follow from its kind.
OPERATIONS = {
    ("get", "/.well-known/jwks.json"): ("get_jwks", {"200", "404"}),
    ("get", "/api/sessions/"): ("list_sessions", {"200"}),
    ("delete", "/api/sessions/"): ("end_all_sessions", {"204"}),
    ("delete", "/api/sessions/{id}/"): ("end_session", {"204"}),
    ("post", "/api/token/"): ("login", {"200"}),
    ("post", "/api/token/blacklist/"): ("logout", {"200"}),
    ("post", "/api/token/refresh/"): ("refresh", {"200"}),
    ("post", "/api/token/verify/"): ("verify", {"200"}),
    ("get", "/api/users/me/"): ("get_me", {"200"}),
    ("patch", "/api/users/me/"): ("update_me", {"200"}),
    ("post", "/api/users/me/password/"): ("change_password", {"204"}),
    # jinja: if cookiecutter.accounts == "open"
    ("post", "/api/users/"): ("sign_up", {"202"}),
    ("post", "/api/users/confirm/"): ("confirm_sign_up", {"201"}),
    ("post", "/api/users/password/reset/"): ("request_password_reset", {"202"}),
    ("post", "/api/users/password/reset/confirm/"): ("reset_password", {"204"}),
    ("post", "/api/users/me/email/"): ("request_email_change", {"202"}),
    ("post", "/api/users/email/confirm/"): ("confirm_email_change", {"200"}),
    ("delete", "/api/users/me/"): ("delete_me", {"204", "413", "415", "429"}),
    # jinja: endif
}
# jinja: if cookiecutter.refresh_token_in == "cookie"
for path in ("", "refresh/", "blacklist/"):
    OPERATIONS["post", f"/api/token/{path}"][1].add("403")
# jinja: endif
# jinja: print "\n\n"


@pytest.fixture
def document(client: APIClient) -> dict[str, Any]:
    return dict(client.get("/api/schema/").json())


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the operations by method and path."""
    paths = document["paths"].items()
    return {(way, path): operation for path, ways in paths for way, operation in ways.items()}


def test_the_document_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    """There is nothing in it that drf-spectacular had to guess."""
    call_command("spectacular", "--validate")
    guesses = capsys.readouterr().err
    assert not guesses, f"Describe these with extend_schema (drf-spectacular):\n{guesses}"


def test_every_operation_describes_itself_and_its_answers(document: dict[str, Any]) -> None:
    assert document["info"]["title"] == settings.PROJECT_NAME
    described = operations(document)
    assert next(iter(described.values()))["tags"] == ["token"]  # the page starts with these
    for (way, path), (name, answers) in OPERATIONS.items():
        operation = described[way, path]
        assert operation["operationId"] == name
        assert operation["summary"][-1] != "."
        assert operation["description"]
        expected = {"400", "default"} | ({"404"} if "{" in path else set())
        expected |= {"413", "415", "429"} if way in ("post", "patch") else set()
        closed = {"jwtAuth": []} in operation["security"]
        expected |= {"401"} if closed or path.startswith("/api/token/") else set()
        assert operation["responses"].keys() == expected | answers, (way, path)
        for status in (expected | answers) - {"200", "201", "202", "204"}:
            body = operation["responses"][status]["content"]["application/json"]["schema"]
            assert body == {"$ref": "#/components/schemas/ErrorResponse"}
            assert operation["responses"][status]["description"]


def validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    """Return a validator for a schema of the document, which allows no other properties."""
    strict = {"components": document["components"], **schema, "unevaluatedProperties": False}
    return Draft202012Validator(strict, format_checker=FormatChecker())


def test_answers_are_as_their_schema_says(
    client: APIClient, user: User, document: dict[str, Any]
) -> None:
    if User.USERNAME_FIELD != "email":
        User.objects.update(email="")
    client.force_authenticate(user)
    keys = {name: key for key, (name, _) in OPERATIONS.items()}

    def check(name: str, body: Any = None, status: int = 200) -> Any:
        way, path = keys[name]
        answer = client.generic(way, path.format(id=uuid4()), json.dumps(body), "application/json")
        assert answer.status_code == status, answer.content
        described = operations(document)[way, path]["responses"][str(status)]
        schema = described["content"]["application/json"]["schema"]
        validator(document, schema).validate(answer.json())
        return answer.json()

    check("get_me")
    check("list_sessions")
    check("update_me", {"first_name": "Grace"})
    check("change_password", {"current_password": "x"}, 400)
    check("end_session", status=404)
    check("get_jwks", status=200 if api_settings.ALGORITHM[:2] != "HS" else 404)
    client.force_authenticate(None)
    check("get_me", status=401)
    login = check("login", credentials(user))
    payload_schema = {"$ref": "#/components/schemas/AccessTokenPayload"}
    validator(document, payload_schema).validate(payload(login["access"]))
    pair = check("refresh", {"refresh": login["refresh"]})
    check("verify", {"token": pair["access"]})
    check("logout", {"refresh": pair["refresh"]})
    check("verify", {"token": pair["access"]}, 401)


def test_what_a_view_says_about_its_answers_stays() -> None:
    own = {"description": "Mine.", "content": {"application/json": {"schema": {"type": "null"}}}}
    responses = {"404": own, "429": {"description": "No response body"}}
    get = {"responses": responses}  # of a view without a docstring
    paths: dict[str, Any] = {"/api/reports/": {"get": get}}
    result = describe_errors({"components": {}, "paths": paths})
    operation = result["paths"]["/api/reports/"]["get"]
    assert (operation["summary"], operation["security"]) == ("", [])
    assert operation["responses"]["404"] == own
    assert "content" in operation["responses"]["429"]


def test_no_answer_has_a_password(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        properties = {*schema.get("properties", {})}
        if properties & {"password", "current_password", "new_password"}:
            assert name.endswith("Request"), name


def test_the_endpoints_have_the_names_that_simplejwt_gives_them() -> None:
    for name in ("obtain_pair", "refresh", "verify", "blacklist"):
        path = "/api/token/" if name == "obtain_pair" else f"/api/token/{name}/"
        assert reverse(f"token_{name}") == path


def test_the_authorize_dialog_asks_for_what_the_header_takes(document: dict[str, Any]) -> None:
    scheme = document["components"]["securitySchemes"]["jwtAuth"]
    assert document["paths"]["/api/users/me/"]["get"]["security"][0] == {"jwtAuth": []}
    if HEADER_TYPE.lower() == "bearer":
        assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    else:
        assert (scheme["in"], scheme["name"]) == ("header", "Authorization")
        assert HEADER_TYPE in scheme["description"]


def test_the_page_comes_from_this_host_and_fits_the_policy(client: APIClient) -> None:
    page = client.get("/api/docs/")
    policy = page["Content-Security-Policy"]
    html = page.content.decode()
    assert client.options("/api/docs/").status_code == 405
    assert not re.findall(r"""(?:src|href)=["']https?:""", html)
    assert not re.findall(r"<script[^>]*>\s*[^<\s]", html)
    for style in re.findall(r"<style>(.*?)</style>", html, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


# Health


@pytest.fixture
def pair(login: Login) -> Iterator[dict[str, Any]]:
    """Return a pair of tokens, and make the database unavailable."""
    pair = login()
    with patch.object(connection, "cursor", side_effect=OperationalError):
        yield pair


def test_a_process_that_can_work_is_live_and_ready(client: APIClient) -> None:
    answers = [client.get(f"/health/{path}/") for path in ("live", "ready")]
    assert [(a.status_code, a.json()) for a in answers] == [(200, {"status": "ok"})] * 2


def test_without_its_database_all_but_live_is_503(client: APIClient, pair: dict[str, Any]) -> None:
    assert client.get("/health/live/").status_code == 200
    login = client.post("/api/token/", {"username": "a", "email": "a", "password": "b"})
    for answer in (client.get("/health/ready/"), login, refresh(pair["refresh"])):
        assert answer.status_code == 503
        assert answer.json().keys() == {"detail"}


# Error reports, by e-mail or by services such as Sentry


def test_an_error_report_has_no_token_password_or_address(
    user_client: APIClient, token: str, login: Login, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[str] = []

    def report(request: Any, **kwargs: Any) -> None:
        reporter = ExceptionReporter(request, *sys.exc_info())
        reports.extend([reporter.get_traceback_html(), reporter.get_traceback_text()])

    refresh_token = login()["refresh"]
    got_request_exception.connect(report)
    for name in ("start", "get"):
        monkeypatch.setattr(sessions, name, Mock(side_effect=RuntimeError(user.email)))
    user_client.post("/api/token/", credentials(user))
    user_client.post("/api/token/refresh/", {"refresh": refresh_token})
    user_client.get("/api/users/me/")
    got_request_exception.disconnect(report)
    assert len(reports) == 6
    for text in reports:
        assert "rest_framework" in text
        for secret in (PASSWORD, token, refresh_token):
            assert secret not in text
            assert secret.rpartition(".")[2] not in text
