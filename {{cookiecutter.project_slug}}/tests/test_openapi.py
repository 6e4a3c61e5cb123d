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

from api.schema import describe_errors
from tests.conftest import HEADER_TYPE

# Every operation, and the answers that do not follow from the operation itself.
OPERATIONS = {
    ("get", "/.well-known/jwks.json"): {"200", "404"},
    ("get", "/api/sessions/"): {"200"},
    ("delete", "/api/sessions/"): {"204"},
    ("delete", "/api/sessions/{id}/"): {"204", "404"},
    ("post", "/api/token/"): {"200", "401", "429"},
    ("post", "/api/token/blacklist/"): {"200"},
    ("post", "/api/token/refresh/"): {"200", "401"},
    ("post", "/api/token/verify/"): {"200", "401"},
    ("get", "/api/users/me/"): {"200"},
    ("patch", "/api/users/me/"): {"200"},
    ("post", "/api/users/me/password/"): {"204", "429"},
    ("get", "/health/live/"): {"200"},
    ("get", "/health/ready/"): {"200"},
}


@pytest.fixture
def document(client: APIClient) -> dict[str, Any]:
    return dict(client.get("/api/schema/").json())


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """The operations by their method and path."""
    paths = document["paths"].items()
    return {(way, path): operation for path, ways in paths for way, operation in ways.items()}


def test_the_document_is_valid_and_leaves_nothing_to_guess(
    capsys: pytest.CaptureFixture[str],
) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn")
    assert capsys.readouterr().err == ""


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    tags = {"health", *(tag["name"] for tag in document["tags"])}
    described = operations(document)
    assert described.keys() >= OPERATIONS.keys()
    for operation in map(described.get, OPERATIONS):
        assert operation
        assert operation["summary"]
        assert operation["description"]
        assert {*operation["tags"]} <= tags


def test_every_operation_describes_its_answers(document: dict[str, Any]) -> None:
    described = operations(document)
    for (way, path), answers in OPERATIONS.items():
        operation = described[way, path]
        expected = {"default"} | ({"400", "413", "415"} if way in ("post", "patch") else set())
        expected |= {"401"} if operation.get("security") else set()
        assert operation["responses"].keys() == expected | answers, (way, path)
        for status in (expected | answers) - {"200", "204"}:
            body = operation["responses"][status]["content"]["application/json"]["schema"]
            assert body == {"$ref": "#/components/schemas/Error"}
            assert operation["responses"][status]["description"]


def test_the_answers_are_described_as_they_are(document: dict[str, Any]) -> None:
    def answer(way: str, path: str) -> dict[str, Any]:
        responses = operations(document)[way, path]["responses"]
        return dict(responses["200"]["content"]["application/json"])

    assert answer("get", "/api/sessions/")["schema"]["type"] == "array"
    for name in ("verify", "blacklist"):
        assert answer("post", f"/api/token/{name}/")["schema"]["maxProperties"] == 0
    [example] = answer("post", "/api/token/")["examples"].values()
    assert example["value"].keys() >= {"access", "refresh"}


def test_a_view_may_be_without_a_docstring() -> None:
    paths: dict[str, Any] = {"/api/reports/": {"get": {"responses": {}}}}
    document: dict[str, Any] = {"components": {"schemas": {}}, "paths": paths}
    described = describe_errors(document, None, None, False)
    assert described["paths"]["/api/reports/"]["get"]["summary"] == ""


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
