"""The choices this project was made with, proved by what it does.

The expected answers stand in this module and in no other: whoever changes one in
``config/jwt.py`` or ``tokens/claims.py`` changes it here, too.
"""

# jinja: for module in cookiecutter.extra_claims | claim_imports
# jinja: print "import " ~ module ~ "\n"
# jinja: endfor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from pytest_django import Settings
from rest_framework.test import APIClient
from rest_framework_simplejwt.settings import api_settings

from tests.conftest import Login, authorization, last_refresh_was, payload, refresh
from tests.factories import PASSWORD, UserFactory
from tests.forge import header_of
from tokens import sessions
from tokens.tokens import RefreshToken
from users.models import User

PROJECT_SLUG = {{cookiecutter.project_slug | python}}
LOGIN_FIELD = {{cookiecutter.login_field | python}}
ACCESS_TOKEN_LIFETIME = {{cookiecutter.access_token_lifetime | timedelta}}
REFRESH_TOKEN_LIFETIME = {{cookiecutter.refresh_token_lifetime | timedelta}}
SESSION_LIFETIME = {{cookiecutter.session_lifetime | timedelta}}
REFRESH_GRACE_PERIOD = timedelta(seconds=10)
ALGORITHM = {{cookiecutter.algorithm | python}}
AUTH_HEADER_TYPES = {{cookiecutter.auth_header_type | header_types_literal}}

# The extra claims of Ada, who is made below, and where they appear.
# jinja: if cookiecutter.extra_claims | claims
CLAIMS: dict[str, Any] = {
    # jinja: for claim in cookiecutter.extra_claims | claims
    {{claim.name | python}}: {{claim.expected}},
    # jinja: endfor
}
# jinja: else
CLAIMS: dict[str, Any] = {}
# jinja: endif
IN_TOKEN = {{"token" in cookiecutter.claims_in}}
IN_RESPONSE = {{"response" in cookiecutter.claims_in}}

SECOND = timedelta(seconds=1)


@pytest.fixture
def ada(db: None, clock: time_machine.Traveller) -> User:
    """The user whose claims are ``CLAIMS``, at the time of the last login."""
    clock.move_to("2026-02-03T04:05:06Z")
    ada: User = UserFactory.create(
        id=1001,
        # jinja: if cookiecutter.login_field == "username"
        username="ada",
        # jinja: endif
        email="ada@example.com",
        first_name="Ada",
        last_name="Lovelace",
        is_staff=True,
        date_joined="2026-01-02T03:04:05Z",
    )
    reviewers = Group.objects.create(name="reviewers")
    editors = Group.objects.create(name="editors")
    ada.groups.set([reviewers, editors])
    view_group = {"content_type__app_label": "auth", "codename": "view_group"}
    editors.permissions.add(Permission.objects.get(**view_group))
    return ada


@pytest.fixture
def answer(login: Login, ada: User) -> dict[str, Any]:
    """The answer to Ada's login."""
    return login(ada)


@pytest.fixture(params=["login", "refresh"])
def pair(
    request: pytest.FixtureRequest, client: APIClient, answer: dict[str, Any]
) -> dict[str, Any]:
    """Ada's tokens after the login, and after a refresh."""
    if request.param == "login":
        return answer
    return dict(refresh(answer["refresh"]).json())


# jinja: if cookiecutter.extra_claims | new_fields
def test_new_users_have_these_values() -> None:
    defaults: dict[str, Any] = {
        # jinja: for claim in cookiecutter.extra_claims | new_fields
        {{claim.name | python}}: {{claim.default}},
        # jinja: endfor
    }
    assert {name: getattr(User(), name) for name in defaults} == defaults


# jinja: endif
def test_people_log_in_with_this_field(client: APIClient, ada: User) -> None:
    names = {"username": "ada", "email": "ada@example.com"}
    for field, name in names.items():
        body = {field: name, "password": PASSWORD}
        expected = 200 if field == LOGIN_FIELD else 400
        assert client.post("/api/token/", body).status_code == expected


def test_tokens_live_this_long(pair: dict[str, Any]) -> None:
    access, refresh = payload(pair["access"]), payload(pair["refresh"])
    assert access["exp"] - access["iat"] == ACCESS_TOKEN_LIFETIME.total_seconds()
    assert refresh["exp"] - refresh["iat"] == REFRESH_TOKEN_LIFETIME.total_seconds()


def test_a_login_lives_this_long(
    client: APIClient, ada: User, clock: time_machine.Traveller
) -> None:
    session = sessions.start(ada)
    clock.shift(SESSION_LIFETIME - SECOND)
    last = refresh(str(RefreshToken.for_session(session, 0)))
    assert last.status_code == 200
    end = session.created + SESSION_LIFETIME
    assert payload(last.json()["refresh"])["exp"] == end.timestamp()
    clock.shift(SECOND)
    late = refresh(str(RefreshToken.for_session(session, 1)))
    assert late.status_code == 401


def test_the_previous_refresh_token_is_good_for_this_long(
    client: APIClient, ada: User, settings: Settings
) -> None:
    settings.SESSION_LIFETIME = timedelta(days=1)
    session = sessions.start(ada)
    refresh(str(RefreshToken.for_session(session, 0)))
    last_refresh_was(ago=REFRESH_GRACE_PERIOD - SECOND)
    again = refresh(str(RefreshToken.for_session(session, 0)))
    assert payload(again.json()["refresh"])["seq"] == 1
    last_refresh_was(ago=REFRESH_GRACE_PERIOD)
    late = refresh(str(RefreshToken.for_session(session, 0)))
    assert late.status_code == 401


def test_tokens_are_signed_by_this_algorithm(pair: dict[str, Any]) -> None:
    for kind in ("access", "refresh"):
        assert header_of(pair[kind])["alg"] == ALGORITHM


def test_tokens_name_the_project_as_issuer_and_audience(pair: dict[str, Any]) -> None:
    for kind in ("access", "refresh"):
        claims = payload(pair[kind])
        assert (claims["iss"], claims["aud"]) == (PROJECT_SLUG, PROJECT_SLUG)


@pytest.mark.parametrize("header_type", AUTH_HEADER_TYPES)
def test_these_header_types_are_accepted(
    client: APIClient, answer: dict[str, Any], header_type: str
) -> None:
    for spelling in (header_type, header_type.lower(), header_type.upper()):
        headers = authorization(answer["access"], spelling)
        assert client.get("/api/users/me/", headers=headers).status_code == 200


def test_no_other_header_type_is_accepted_and_the_first_is_announced(
    client: APIClient, answer: dict[str, Any]
) -> None:
    chosen = {header_type.lower() for header_type in AUTH_HEADER_TYPES}
    others = ("Bearer", "JWT", "Token", "Basic", *api_settings.AUTH_HEADER_TYPES)
    for header_type in others:
        if header_type.lower() not in chosen:
            headers = authorization(answer["access"], header_type)
            refused = client.get("/api/users/me/", headers=headers)
            assert refused.status_code == 401
    wrong = client.post("/api/token/", {LOGIN_FIELD: "nobody", "password": "wrong"})
    for refused in (wrong, client.get("/api/users/me/")):
        assert refused.status_code == 401
        assert refused["WWW-Authenticate"].split()[0] == AUTH_HEADER_TYPES[0]


def test_an_access_token_says_this_of_its_user(pair: dict[str, Any]) -> None:
    own = {"token_type", "iss", "aud", "sub", "exp", "iat", "jti", "sid"}
    claims = payload(pair["access"])
    assert own <= claims.keys()
    extra = {name: claims[name] for name in claims.keys() - own}
    assert extra == (CLAIMS if IN_TOKEN else {})
    assert claims["sub"] == "1001"


def test_a_refresh_token_says_nothing_of_its_user(pair: dict[str, Any]) -> None:
    own = {"token_type", "iss", "aud", "sub", "exp", "iat", "jti", "sid", "seq"}
    assert payload(pair["refresh"]).keys() == own


def test_the_login_answer_says_this_of_the_user(answer: dict[str, Any]) -> None:
    assert answer.keys() >= {"access", "refresh"}
    del answer["access"], answer["refresh"]
    assert answer == (CLAIMS if IN_RESPONSE else {})


def test_the_refresh_answer_says_nothing_of_the_user(
    client: APIClient, answer: dict[str, Any]
) -> None:
    assert refresh(answer["refresh"]).json().keys() == {"access", "refresh"}
