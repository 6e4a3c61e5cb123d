"""The OpenAPI document and its page say what the API does."""

import base64
import hashlib
import re
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import reverse
from rest_framework.test import APIClient

from tests.conftest import HEADER_TYPE

PATHS = {
    "/.well-known/jwks.json": {"get"},
    "/api/sessions/": {"get", "delete"},
    "/api/sessions/{id}/": {"delete"},
    "/api/token/": {"post"},
    "/api/token/blacklist/": {"post"},
    "/api/token/refresh/": {"post"},
    "/api/token/verify/": {"post"},
    "/api/users/me/": {"get", "patch"},
    "/api/users/me/password/": {"post"},
    "/health/live/": {"get"},
    "/health/ready/": {"get"},
}


@pytest.fixture
def document(client: APIClient) -> dict[str, Any]:
    return dict(client.get("/api/schema/").json())


def test_the_document_is_valid_and_leaves_nothing_to_guess(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn")
    assert capsys.readouterr().err == ""


def test_every_endpoint_is_described(document: dict[str, Any]) -> None:
    described = {path: {*ways} for path, ways in document["paths"].items()}
    assert described == described | PATHS
    for ways in document["paths"].values():
        for operation in ways.values():
            assert operation["summary"]
            assert operation["description"]


def test_every_operation_describes_its_errors(document: dict[str, Any]) -> None:
    for path, ways in document["paths"].items():
        for way, operation in ways.items():
            expected = {"default"}
            if way in ("post", "patch"):
                expected |= {"400", "413", "415"}
            if "security" in operation or "/token/" in path:
                expected |= {"401"} - {"401" if "blacklist" in path else ""}
            answers = operation["responses"]
            assert expected <= answers.keys(), (way, path)
            for status in expected:
                body = answers[status]["content"]["application/json"]["schema"]
                assert body == {"$ref": "#/components/schemas/Error"}
                assert answers[status]["description"]


def test_no_answer_has_a_password(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        properties = {*schema.get("properties", {})}
        if properties & {"password", "current_password", "new_password"}:
            assert name.endswith("Request"), name


def test_the_endpoints_have_the_names_that_simplejwt_gives_them() -> None:
    for name in ("obtain_pair", "refresh", "verify", "blacklist"):
        path = "/api/token/" if name == "obtain_pair" else f"/api/token/{name}/"
        assert reverse(f"token_{name}") == path


def test_the_authorize_dialog_asks_for_what_the_header_takes(
    document: dict[str, Any],
) -> None:
    [(name, scheme)] = document["components"]["securitySchemes"].items()
    assert document["paths"]["/api/users/me/"]["get"]["security"] == [{name: []}]
    if HEADER_TYPE.lower() == "bearer":
        assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    else:
        assert (scheme["in"], scheme["name"]) == ("header", "Authorization")
        assert HEADER_TYPE in scheme["description"]


def test_the_title_is_the_name_of_the_project(document: dict[str, Any]) -> None:
    assert document["info"]["title"] == settings.PROJECT_NAME


def test_the_page_is_for_reading(client: APIClient) -> None:
    assert client.options("/api/docs/").status_code == 405


def test_the_page_comes_from_this_host_and_fits_the_policy(client: APIClient) -> None:
    page = client.get("/api/docs/")
    policy = page["Content-Security-Policy"]
    html = page.content.decode()
    assert "unsafe-inline" not in policy
    assert not re.findall(r"""(?:src|href)=["']https?:""", html)
    assert not re.findall(r"<script[^>]*>\s*[^<\s]", html)
    for style in re.findall(r"<style>(.*?)</style>", html, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
