"""The choices that this project was generated with, tested by its behaviour.

Only this module has the expected values: if you change one in
``config/jwt.py`` or ``tokens/claims.py``, change it here, too.
"""

# jinja: for module in cookiecutter.extra_claims | claim_imports
# jinja: print "import " ~ module ~ "\n"
# jinja: endfor
from datetime import timedelta
from os import environ
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, Permission
from rest_framework.test import APIClient
from rest_framework_simplejwt.settings import api_settings

from tests.conftest import (
    Clock,
    Login,
    authorization,
    last_refresh_was,
    payload,
    refresh,
    refreshed,
    verify,
)
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
ISSUER = environ.get("JWT_ISSUER") or PROJECT_SLUG
AUDIENCE = environ.get("JWT_AUDIENCE") or PROJECT_SLUG
AUTH_HEADER_TYPES = {{cookiecutter.auth_header_type | header_types_literal}}

# Ada's primary key as it is in JSON: 1001, or a text if primary keys are not numbers.
KEY: Any = User._meta.pk.to_python(UUID(int=1001))
KEY = KEY if isinstance(KEY, int) else str(KEY)

# The extra claims of Ada, who is created below, and where they appear.
# jinja: if cookiecutter.extra_claims | claims
CLAIMS: dict[str, Any] = {
    # jinja: for claim in cookiecutter.extra_claims | claims
    {{claim.name | python}}: {{"KEY" if claim.expression == "user.pk" else claim.expected}},
    # jinja: endfor
}
# jinja: else
CLAIMS: dict[str, Any] = {}
# jinja: endif
IN_TOKEN = {{"token" in cookiecutter.claims_in}}
IN_RESPONSE = {{"response" in cookiecutter.claims_in}}

SECOND = timedelta(seconds=1)


@pytest.fixture
def ada(db: None, clock: Clock) -> User:
    """Return the user whose claims are ``CLAIMS``, at the time of the last login."""
    clock.move_to("2026-01-02T03:04:05Z")
    ada: User = UserFactory.create(
        pk=KEY,
        # jinja: if cookiecutter.login_field == "username"
        username="ada",
        # jinja: endif
        email="ada@example.com",
        first_name="Ada",
        last_name="Lovelace",
        is_staff=True,
    )
    clock.move_to("2026-02-03T04:05:06Z")
    reviewers = Group.objects.create(name="reviewers")
    editors = Group.objects.create(name="editors")
    ada.groups.set([reviewers, editors])
    view_group = {"content_type__app_label": "auth", "codename": "view_group"}
    editors.permissions.add(Permission.objects.get(**view_group))
    return ada


@pytest.fixture
def answer(login: Login, ada: User) -> dict[str, Any]:
    """Return the response to Ada's login."""
    return login(ada)


@pytest.fixture(params=["login", "refresh"])
def pair(request: pytest.FixtureRequest, answer: dict[str, Any]) -> dict[str, Any]:
    """Return Ada's tokens, once after the login and once after a refresh."""
    return answer if request.param == "login" else refreshed(answer)


# jinja: if cookiecutter.extra_claims | new_fields
def test_new_users_have_these_values() -> None:
    defaults: dict[str, Any] = {
        # jinja: for claim in cookiecutter.extra_claims | new_fields
        {{claim.name | python}}: {{claim.default}},
        # jinja: endfor
    }
    assert {name: getattr(User(), name) for name in defaults} == defaults


# jinja: endif
@pytest.mark.parametrize(("field", "name"), [("username", "ada"), ("email", "ada@example.com")])
def test_people_log_in_with_this_field(client: APIClient, ada: User, field: str, name: str) -> None:
    response = client.post("/api/token/", {field: name, "password": PASSWORD})
    assert response.status_code == (200 if field == LOGIN_FIELD else 400)


def test_tokens_live_this_long(pair: dict[str, Any]) -> None:
    access, refresh = payload(pair["access"]), payload(pair["refresh"])
    assert access["exp"] - access["iat"] == ACCESS_TOKEN_LIFETIME.total_seconds()
    assert refresh["exp"] - refresh["iat"] == REFRESH_TOKEN_LIFETIME.total_seconds()


def test_a_login_lives_this_long(ada: User, clock: Clock) -> None:
    session = sessions.start(ada)
    clock.shift(SESSION_LIFETIME - SECOND)
    last = refresh(str(RefreshToken.for_session(session, 0))).json()
    end = session.created + SESSION_LIFETIME
    assert payload(last["refresh"])["exp"] == end.timestamp()
    clock.shift(SECOND)
    assert refresh(str(RefreshToken.for_session(session, 1))).status_code == 401


def test_the_previous_refresh_token_is_good_for_this_long(answer: dict[str, Any]) -> None:
    refreshed(answer)
    last_refresh_was(ago=REFRESH_GRACE_PERIOD * 0.8)
    assert verify(answer["refresh"]).status_code == (200 if REFRESH_GRACE_PERIOD else 401)
    last_refresh_was(ago=REFRESH_GRACE_PERIOD)
    assert verify(answer["refresh"]).status_code == 401


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_tokens_have_this_algorithm_and_issuer(pair: dict[str, Any], kind: str) -> None:
    claims = payload(pair[kind])
    assert header_of(pair[kind])["alg"] == ALGORITHM
    assert (claims["iss"], claims["aud"]) == (ISSUER, AUDIENCE)


def test_these_header_types_are_accepted(client: APIClient, answer: dict[str, Any]) -> None:
    known = {"Bearer", "JWT", "Token", "Basic", *AUTH_HEADER_TYPES, *api_settings.AUTH_HEADER_TYPES}
    accepted = set()
    for word in known:
        response = client.get("/api/users/me/", headers=authorization(answer["access"], word))
        if response.status_code == 200:
            accepted.add(word.lower())
        else:
            assert response["WWW-Authenticate"].split()[0] == AUTH_HEADER_TYPES[0]
    assert accepted == {word.lower() for word in AUTH_HEADER_TYPES}


def test_an_access_token_says_this_of_its_user(pair: dict[str, Any]) -> None:
    claims = payload(pair["access"])
    own = {"token_type", "iss", "aud", "sub", "exp", "iat", "jti", "sid"}
    extra = {name: claims[name] for name in claims.keys() - own}
    assert extra == (CLAIMS if IN_TOKEN else {})
    assert claims["sub"] == str(KEY)


def test_the_login_answer_says_this_of_the_user(answer: dict[str, Any]) -> None:
    pair = {"access": answer["access"], "refresh": answer["refresh"]}
    assert answer == pair | (CLAIMS if IN_RESPONSE else {})
    assert refreshed(answer).keys() == pair.keys()
