"""Changes that owners make in an ordinary week keep the project's tests green."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers import PYTHON, empty_database

#: Files, and what an owner replaces in them with what.
Edits = list[tuple[str, str, str]]

BASE, ENV = "config/settings/base.py", "config/env.py"
URLS = "config/urls.py"
MODEL, MIGRATION = "users/models.py", "users/migrations/0001_initial.py"
ID = "models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verb"
MAKE_KEY = '\nimport uuid\n\n\ndef key():\n    return f"ключ № {uuid.uuid4()}"\n\n'
DOCSTRING = '    """Someone who can log in."""\n'
ATOMIC = '    config["ATOMIC_REQUESTS"] = True\n    return config | {'
THROTTLED = """REST_FRAMEWORK = {
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"anon": "3/day"},"""


def key(field: str) -> Edits:
    """Give users a primary key of this kind, from the first migration."""
    return [
        (MODEL, "from typing import Any\n", f"from typing import Any\n{MAKE_KEY}"),
        ("tokens/claims.py", "id: int", "id: str"),
        (MODEL, DOCSTRING, f"{DOCSTRING}\n    id = {field})\n"),
        (
            MIGRATION,
            "\nclass Migration",
            "import uuid\nfrom users.models import key\n\nclass Migration",
        ),
        (MIGRATION, f'{ID}ose_name="ID"', f"{field}, serialize=False"),
    ]


CHANGES: dict[str, Edits] = {
    "uuid keys": key("models.UUIDField(default=uuid.uuid4, primary_key=True"),
    "text keys": key("models.CharField(default=key, max_length=60, primary_key=True"),
    "time zone": [(BASE, 'TIME_ZONE = "UTC"', 'TIME_ZONE = "Asia/Seoul"')],
    "no time zones": [(BASE, '"UTC"', '"America/New_York"\nUSE_TZ = False')],
    "atomic requests": [(ENV, "    return config | {", ATOMIC)],
    "throttles": [(BASE, "REST_FRAMEWORK = {", THROTTLED)],
    "admin": [
        (URLS, 'path("admin/login/"', 'path("backoffice/login/"'),
        (URLS, 'path("admin/"', 'path("backoffice/"'),
    ],
    "table": [
        (
            "tokens/models.py",
            "        ordering",
            '        db_table = "logins"\n        ordering',
        ),
        (
            "tokens/migrations/0001_initial.py",
            '"ordering"',
            '"db_table": "logins", "ordering"',
        ),
    ],
}
#: Variables that may be set where somebody runs the tests.
EXPORTED = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "DJANGO_ALLOWED_HOSTS": "api.example.com",
    "DJANGO_SECRET_KEY": "short",
    "JWT_ISSUER": "https://id.example.com",
    "JWT_AUDIENCE": "services",
    "JWT_VERIFYING_KEYS": "none",
    "CORS_ALLOWED_ORIGINS": "https://app.example.com",
    "CSRF_TRUSTED_ORIGINS": "https://app.example.com",
    "SECURE_SSL_REDIRECT": "false",
    "TRUSTED_PROXIES": "2",
    "URL_PREFIX": "/backend",
    "LOG_LEVEL": "DEBUG",
    "REDIS_URL": "redis://cache/0",
}


def edit(project: Path, edits: Edits) -> None:
    for name, old, new in edits:
        text = (project / name).read_text("utf-8")
        assert old in text, (name, old)
        (project / name).write_text(text.replace(old, new, 1), "utf-8")


def own_tests(project: Path, *tests: str, **exported: str) -> tuple[int, str]:
    """Run the project's tests, and return their exit status and output."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(
        command, cwd=project, env=kept | exported, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_database(request.param, tmp_path) as url:
        yield url


@pytest.mark.full
@pytest.mark.parametrize("edits", CHANGES.values(), ids=CHANGES)
def test_an_ordinary_change_leaves_the_tests_green(
    cookies: Any, edits: Edits, database: str
) -> None:
    project = cookies.bake(extra_context={"extra_claims": "id, groups"}).project_path
    edit(project, edits)
    status, report = own_tests(project, DATABASE_URL=database)
    assert status == 0, report[-6000:]


def test_ordinary_changes_together_leave_the_tests_green(cookies: Any) -> None:
    """This holds whatever variables are set, and nothing is left behind."""
    project = cookies.bake().project_path
    for name in ("time zone", "atomic requests", "throttles", "admin", "table"):
        edit(project, CHANGES[name])
    before = {path for path in project.rglob("*") if "__pycache__" not in path.parts}
    status, report = own_tests(project, **EXPORTED)
    assert status == 0, report[-6000:]
    after = {path for path in project.rglob("*") if "__pycache__" not in path.parts}
    assert after == before


ENDPOINTS = """
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from rest_framework import permissions, routers, views, viewsets
from rest_framework.response import Response

from users.models import User
from users.serializers import UserSerializer


class People(viewsets.ModelViewSet):
    queryset = User.objects.order_by("pk")
    serializer_class = UserSerializer


class Member(permissions.BasePermission):
    def has_permission(self, request, view):
        return view.kwargs["team"] and request.user.is_authenticated


class Team(views.APIView):
    permission_classes = [Member]

    def get(self, request, team, **kwargs):
        return Response({})


class Prices(views.APIView):
    permission_classes = []

    def get(self, request, year):
        return Response({"year": int(year)})


@login_required
def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("")


router = routers.DefaultRouter()
router.register("people", People)
urlpatterns = [
    path("", include(router.urls)),
    path("teams/<slug:team>/", include([path("<int:n>/<path:rest>", Team.as_view())])),
    re_path(r"^old/(?P<team>[0-9]{4})/([a-z]+)/$", Team.as_view()),
    path("page/", page),
    # re_path(r"^prices/(?P<year>[0-9]{4})/$", Prices.as_view()),
]
"""


def test_the_projects_tests_know_endpoints_of_every_kind(cookies: Any) -> None:
    """They name endpoints that are open, and what the document lacks about them."""
    project = cookies.bake().project_path
    urls = project / "config" / "urls.py"
    mounted = 'urlpatterns = [\n    path("shop/", include("shop")),'
    urls.write_text(urls.read_text("utf-8").replace("urlpatterns = [", mounted))
    shop = project / "shop.py"
    shop.write_text(ENDPOINTS, "utf-8")
    authorisation = "tests/promises/test_authorisation.py"
    status, report = own_tests(project, authorisation)
    assert status == 0, report[-6000:]

    shop.write_text(ENDPOINTS.replace("    # re_path", "    re_path"), "utf-8")
    status, report = own_tests(project, authorisation, "tests/test_api.py")
    assert status == 1
    route = "shop/prices/(?P<year>[0-9]{4})/"
    assert f"add {route!r} to OPEN in " in report
    assert "[Prices]" in report
    failed = [line for line in report.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 2, failed

    opened = project / authorisation
    text = opened.read_text("utf-8").replace("OPEN = {", f"OPEN = {{\n    {route!r},")
    opened.write_text(text, "utf-8")
    status, report = own_tests(project, authorisation)
    assert status == 0, report[-6000:]


TAUGHT = """
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer
from rest_framework_simplejwt.settings import DEFAULTS, api_settings
from tests.conftest import *
from tokens.checks import check_tokens

EFFECTIVE = {
    *("ACCESS_TOKEN_LIFETIME", "REFRESH_TOKEN_LIFETIME", "ALGORITHM", "ISSUER"),
    *("AUDIENCE", "AUTH_HEADER_TYPES", "AUTH_HEADER_NAME", "JSON_ENCODER"),
    "USER_AUTHENTICATION_RULE",
}


class Plain(TokenObtainPairSerializer):
    pass


@each("name", *DEFAULTS)
def test_what_has_no_effect_is_named(settings, name):
    settings.SIMPLE_JWT = settings.SIMPLE_JWT | {name: DEFAULTS[name]}
    assert any(name in error.msg for error in check_tokens()) == (name not in EFFECTIVE)


def test_a_login_without_sessions_is_named(settings):
    plain = {"TOKEN_OBTAIN_SERIALIZER": "tests.test_taught.Plain"}
    settings.SIMPLE_JWT = settings.SIMPLE_JWT | plain
    assert "TOKEN_OBTAIN_SERIALIZER" in check_tokens()[0].msg


def test_a_rule_about_users_holds_at_every_door(client, user, login, monkeypatch):
    pair = login()
    rule = lambda user: user.first_name == "Grace"
    monkeypatch.setattr(api_settings, "USER_AUTHENTICATION_RULE", rule)
    for status in (401, 200):
        own = {"HTTP_AUTHORIZATION": f"{HEADER_TYPE} {pair['access']}"}
        assert client.get("/api/users/me/", **own).status_code == status
        assert client.post("/api/token/", credentials(user)).status_code == status
        body = {"refresh": pair["refresh"]}
        assert client.post("/api/token/refresh/", body).status_code == status
        type(user).objects.update(first_name="Grace")
"""


def test_what_simplejwt_teaches_has_an_effect_or_is_named(cookies: Any) -> None:
    project = cookies.bake().project_path
    (project / "tests" / "test_taught.py").write_text(TAUGHT, "utf-8")
    status, report = own_tests(project, "tests/test_taught.py")
    assert status == 0, report[-6000:]


DOORS = """
from django.urls import path
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, views

from config.urls import urlpatterns
from tests.conftest import *

MISSING = "There is no such door."


class ErrorResponseSerializer(serializers.Serializer):
    mine = serializers.IntegerField()


class DoorSerializer(serializers.Serializer):
    access = serializers.BooleanField()
    refresh = serializers.IntegerField()


class Door(views.APIView):
    @extend_schema(
        request=DoorSerializer,
        responses={
            200: DoorSerializer,
            400: ErrorResponseSerializer,
            404: OpenApiResponse(description=MISSING),
        },
    )
    def post(self, request):
        pass


urlpatterns = [*urlpatterns, path("api/doors/", Door.as_view())]


def test_what_is_an_owners_stays(client, settings):
    settings.ROOT_URLCONF = "tests.test_doors"
    document = client.get("/api/schema/").json()
    schemas = document["components"]["schemas"]
    for name in ("Door", "DoorRequest"):
        assert schemas[name]["required"] == ["access", "refresh"]
        properties = schemas[name]["properties"]
        assert properties["access"] == {"type": "boolean"}
        assert properties["refresh"] == {"type": "integer"}
    assert schemas["ErrorResponse"]["properties"] == {"mine": {"type": "integer"}}
    answers = document["paths"]["/api/doors/"]["post"]["responses"]
    for status, name in (("400", "ErrorResponse"), ("404", "ApiErrorResponse")):
        schema = answers[status]["content"]["application/json"]["schema"]
        assert schema == {"$ref": f"#/components/schemas/{name}"}
    assert answers["404"]["description"] == MISSING
    me = document["paths"]["/api/users/me/"]["get"]["responses"]["401"]["content"]
    assert "ApiErrorResponse" in str(me)
"""


@pytest.mark.parametrize("way", ["body", "cookie"])
def test_the_document_leaves_alone_what_is_an_owners(cookies: Any, way: str) -> None:
    project = cookies.bake(extra_context={"refresh_token_in": way}).project_path
    (project / "tests" / "test_doors.py").write_text(DOORS, "utf-8")
    status, report = own_tests(project, "tests/test_doors.py", "tests/test_api.py")
    assert status == 0, report[-6000:]
