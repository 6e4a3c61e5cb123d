"""Promises 36 to 40: what every response contains, and what none contains."""

import json
from typing import Any
from unittest.mock import Mock

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.conftest import Login, each, opens
from tests.production import python
from tests.promises.test_input import FIELDS, ME, assert_refused
from users.models import User

LOGIN = "/api/token/"


def test_36_tokens_and_people_are_kept_out_of_caches(user_client: APIClient, login: Login) -> None:
    """This includes errors. See RFC 6749 section 5.1 and ASVS 14.3.2."""
    pair = login()
    answers = [user_client.get(path) for path in (ME, "/api/sessions/", *FIELDS)]
    for path, names in FIELDS.items():
        for value in ("wrong", pair["refresh"], 1):
            answers.append(user_client.post(path, dict.fromkeys(names, value)))
    answers.append(user_client.delete("/api/sessions/"))
    answers.append(user_client.get(ME))
    assert {answer.status_code for answer in answers} >= {200, 204, 400, 401, 405}
    for answer in answers:
        assert "no-store" in answer["Cache-Control"].split(", ")


@each("path", LOGIN, ME, "/nowhere/", "/admin/login/", "/api/docs/", "/health/live/")
@pytest.mark.django_db
def test_37_every_answer_has_the_protective_headers(path: str) -> None:
    """Pages load from this host only, and no other page can frame them."""
    response = Client().get(path, secure=True)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] in ("same-origin", "no-referrer")
    assert response["X-Frame-Options"] == "DENY"
    policy = response["Content-Security-Policy"]
    for directive in ("default-src 'self'", "object-src 'none'", "frame-ancestors 'none'"):
        assert directive in policy
    assert "unsafe" not in policy
    assert not any(response.get(name) for name in ("Server", "X-Powered-By"))


IN_PRODUCTION = """
import json, config.wsgi
from django.test import Client
def get(path, **extra):
    headers = {"Host": "api.example.com", "Accept": "text/html"}
    response = Client(raise_request_exception=False).get(path, headers=headers, **extra)
    return [response.status_code, dict(response.headers)]
paths = ["/nowhere/", "/health/live/", "/api/docs/", "/api/schema/"]
print(json.dumps([get("/api/token/"), *(get(path, secure=True) for path in paths)]))
"""


def test_37_production_insists_on_https_and_hides_its_documentation() -> None:
    """HSTS lasts a year and includes subdomains; plain HTTP is redirected."""
    answered = python("-c", IN_PRODUCTION)
    assert answered.returncode == 0, answered.stderr
    (status, headers), *secure = json.loads(answered.stdout.splitlines()[-1])
    assert (status, headers["Location"][:8]) == (301, "https://")
    for _, headers in secure:
        age, *policy = headers["Strict-Transport-Security"].split("; ")
        assert int(age.removeprefix("max-age=")) >= 31_536_000
        assert "includeSubDomains" in policy
    for status, headers in secure[2:]:
        assert status in (401, 403)
        assert headers["Content-Type"] == "application/json"


def test_38_errors_are_json_without_internals(
    user_client: APIClient, client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Accept header makes no difference."""

    def post(body: bytes, kind: str = "application/json") -> Any:
        return client.post(LOGIN, body, content_type=kind, HTTP_ACCEPT="text/html")

    assert_refused(post(b"{"), 400)
    assert_refused(post(b"{}"), 400)
    assert_refused(post(b" " * 2**21), 413)
    assert_refused(post(b"a=b", "application/x-www-form-urlencoded"), 415)
    html: dict[str, Any] = {"HTTP_ACCEPT": "text/html"}
    assert_refused(client.get(ME, **html), 401)
    assert_refused(client.get("/api/nowhere/", **html), 404)
    assert_refused(client.get("/nowhere/", **html), 404)
    assert_refused(client.get(LOGIN, **html), 405)
    assert_refused(user_client.put(ME, **html), 405)
    forged = Client(enforce_csrf_checks=True).post(reverse("admin:login"), {}, **html)
    assert_refused(forged, 403)
    secret = "a secret of the server"
    monkeypatch.setattr("users.views.MeView.get_object", Mock(side_effect=RuntimeError(secret)))
    response = user_client.get(ME, **html)
    assert_refused(response, 500)
    assert secret not in response.text


@each("query", "", "?format=api", "?format=html", "?format=xml")
def test_38_there_is_no_browsable_api(user_client: APIClient, query: str) -> None:
    """REST framework's pages and forms are not there."""
    response = user_client.get(ME + query, HTTP_ACCEPT="text/html")
    assert_refused(response, 200, 404)


@each("debug", False, True)
def test_38_only_reads_get_a_slash(client: APIClient, settings: Settings, debug: bool) -> None:
    """Data sent to a URL without it gets 404 instead of a redirect."""
    settings.DEBUG = debug
    assert client.get(LOGIN.rstrip("/")).status_code == 301
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert client.generic(method, LOGIN.rstrip("/")).status_code == 404


@each(
    "host",
    *("evil.example", "testserver.evil.example", "testserver@evil.example", "*", ""),
    *("testserver:80:80", "testserver\0", "[::1", "te st", "testserver/../x"),
)
def test_39_the_host_is_checked_and_not_reflected(user_client: APIClient, host: str) -> None:
    """Another host gets 400, and the response does not repeat it."""
    for path in (LOGIN, ME, "/admin/login/", "/nowhere/", "/api/token"):
        response = user_client.get(path, HTTP_HOST=host)
        assert_refused(response, 400)
        assert "evil" not in f"{response.text} {response.headers}"
        forwarded = user_client.get(path, HTTP_X_FORWARDED_HOST="evil.example")
        assert forwarded.status_code != 400
        assert "evil" not in f"{forwarded.text} {forwarded.headers}"


@each("origin", "https://evil.example", "null", "http://testserver")
def test_39_other_origins_are_not_let_in(user_client: APIClient, origin: str) -> None:
    """CORS is closed unless ``CORS_ALLOWED_ORIGINS`` opens it."""
    headers = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
    for method in ("GET", "OPTIONS"):
        response = user_client.generic(method, ME, headers=headers)
        assert not [name for name in response.headers if name.startswith("Access-")]


def test_39_methods_are_what_they_say(user_client: APIClient, token: str, user: User) -> None:
    """There is no TRACE, and no header, query or body overrides the method."""
    for path in (LOGIN, ME, "/api/sessions/"):
        for method in ("TRACE", "CONNECT", "FOO", "PROPFIND"):
            response = user_client.generic(method, path)
            assert response.status_code == 405
            assert token not in response.text
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        for method in ("DELETE", "PATCH"):
            body = {"_method": method, "first_name": "changed"}
            for path in ("/api/sessions/?_method=DELETE", f"{ME}?_method=PATCH"):
                user_client.post(path, body, headers={name: method})
                user_client.get(path, headers={name: method})
    user.refresh_from_db()
    assert user.first_name != "changed"
    assert opens(token)


def test_40_the_deployment_checks_are_silent() -> None:
    """This runs them in production settings, including the checks of the database."""
    command = "manage.py check --deploy --fail-level WARNING --database default"
    checked = python(*command.split())
    assert checked.returncode == 0, checked.stderr
    assert not checked.stderr
