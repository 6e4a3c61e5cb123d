"""Promises 41 to 43: who may do what."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.conf import settings as current
from django.contrib.auth.models import Permission
from django.shortcuts import resolve_url
from django.urls import URLResolver, get_resolver, path
from django.urls.resolvers import RoutePattern
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.conftest import Login, each, new_client, opens, payload
from tests.factories import PASSWORD, UserFactory
from users.models import User

# The endpoints that are open on purpose. Add yours as the failing test shows it.
OPEN = {
    *("api/token/", "api/token/refresh/", "api/token/verify/", "api/token/blacklist/"),
    *("", ".well-known/jwks.json", "health/live/", "health/ready/", resolve_url("admin:login")[1:]),
    *("api/schema/", "api/docs/"),  # for staff in production
    # jinja: if cookiecutter.accounts == "open"
    *("api/users/", "api/users/confirm/", "api/users/password/reset/"),
    *("api/users/password/reset/confirm/", "api/users/email/confirm/"),
    # jinja: endif
}

Endpoint = tuple[Any, dict[str, str]]


def endpoints(
    patterns: list[Any], start: str = "", given: dict[str, str] | None = None
) -> Iterator[tuple[str, Endpoint]]:
    """Return the routes of a URL configuration as they are written, without the admin's.

    Each comes with its view, and with values for the parameters of its path.
    """
    for item in patterns:
        pattern = item.pattern
        route = start + str(pattern).removeprefix("^").removesuffix("$")
        simple = isinstance(pattern, RoutePattern)
        names = pattern.converters if simple else pattern.regex.groupindex
        arguments = {**(given or {}), **dict.fromkeys(names, "1")}
        if not isinstance(item, URLResolver):
            yield route, (item.callback, arguments)
        elif item.app_name != "admin":
            yield from endpoints(item.url_patterns, route, arguments)


ENDPOINTS = dict(endpoints(get_resolver().url_patterns))


@each("route", *sorted({*ENDPOINTS} - OPEN))
def test_41_every_endpoint_is_closed_unless_opened_on_purpose(
    client: APIClient, settings: Settings, route: str
) -> None:
    """Its view authenticates the request first, whatever the route."""
    view, arguments = ENDPOINTS[route]
    settings.ROOT_URLCONF = type("Only", (), {"urlpatterns": [path("here/", view, arguments)]})
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
        answer = client.generic(method, "/here/")
        to_login = answer.get("Location", "").startswith(resolve_url(current.LOGIN_URL))
        assert to_login or answer.status_code in (401, 403, 405), (
            f"{method} {route} answers {answer.status_code} to somebody without a token. "
            f"If that is on purpose, add {route!r} to OPEN in {__file__}"
        )


def test_41_what_is_open_on_purpose_is_there() -> None:
    assert ENDPOINTS.keys() >= OPEN


def test_42_another_users_session_is_not_there(user_client: APIClient, login: Login) -> None:
    """To read, change or delete it is a 404 as if it did not exist, for staff, too."""
    staff = UserFactory.create(is_staff=True, is_superuser=True)
    staff.user_permissions.set(Permission.objects.all()[:5])
    stranger = new_client()
    stranger.force_authenticate(staff)
    pair = login()
    sid = payload(pair["access"])["sid"]
    for method in ("GET", "PUT", "PATCH", "DELETE", "POST"):
        answers = [stranger.generic(method, f"/api/sessions/{id}/") for id in (sid, uuid4())]
        assert {answer.status_code for answer in answers} == {404 if method == "DELETE" else 405}
        assert answers[0].content == answers[1].content
    assert stranger.get("/api/sessions/").json() == []
    assert stranger.delete("/api/sessions/").status_code == 204
    assert opens(pair["access"])


def test_43_only_the_names_of_an_account_are_writable(user_client: APIClient, user: User) -> None:
    """Ids, flags, the password and the fields of claims are not."""
    names = [*(field.name for field in User._meta.get_fields()), "pk", "user_id"]
    body = dict.fromkeys(names, "4711") | {"first_name": "New", "last_name": "Names"}
    before = User.objects.values().get()
    assert user_client.patch("/api/users/me/", body).status_code == 200
    assert User.objects.values().get() == {**before, "first_name": "New", "last_name": "Names"}
    user.refresh_from_db()
    assert not user.groups.exists()
    assert not user.user_permissions.exists()
    assert user.check_password(PASSWORD)


def test_43_sessions_cannot_be_made_or_changed_over_the_api(user_client: APIClient) -> None:
    """Only logins make sessions."""
    [before] = user_client.get("/api/sessions/").json()
    body = {"id": "0190163d-8694-739b-aea5-966c26f8ad91", "address": "192.0.2.9"}
    for url in ("/api/sessions/", f"/api/sessions/{before['id']}/"):
        for method in ("post", "put", "patch"):
            assert getattr(user_client, method)(url, body).status_code == 405
    assert user_client.get("/api/sessions/").json() == [before]
