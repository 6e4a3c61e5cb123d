"""Logging in: ``POST /api/token/``."""

import pytest
import time_machine
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.conftest import (
    NO_STRINGS,
    Login,
    authorization,
    credentials,
    opens,
    payload,
)
from tests.factories import UserFactory
from tests.forge import header_of
from tokens import tokens
from tokens.models import LoginSession
from users.models import User


def test_a_login_yields_a_token_that_opens_the_api(client: APIClient, login: Login) -> None:
    assert opens(login()["access"])


def test_a_token_names_its_user_and_its_session(login: Login, user: User) -> None:
    pair = login()
    session = LoginSession.objects.get(user=user)
    for kind in ("access", "refresh"):
        claims = payload(pair[kind])
        assert claims["token_type"] == kind
        assert claims["sub"] == str(user.pk)
        assert claims["sid"] == str(session.pk)
        assert header_of(pair[kind])["typ"] == "JWT"


def test_every_token_has_an_id_of_its_own(login: Login) -> None:
    pairs = [login(), login()]
    tokens = [pair[kind] for pair in pairs for kind in ("access", "refresh")]
    assert len({payload(token)["jti"] for token in tokens}) == 4


def test_every_login_begins_a_session_of_its_own(login: Login) -> None:
    sids = {payload(login()["access"])["sid"] for _ in range(3)}
    assert len(sids) == 3


def test_a_session_remembers_where_its_login_came_from(client: APIClient, user: User) -> None:
    client.post(
        "/api/token/",
        credentials(user),
        headers={"User-Agent": "Browser\t1 " + "x" * 300},
        REMOTE_ADDR="2001:db8::7",
    )
    session = LoginSession.objects.get()
    assert session.address == "2001:db8::7"
    assert session.user_agent == ("Browser1 " + "x" * 300)[:255]


def test_a_login_is_remembered_as_the_last(
    login: Login, user: User, clock: time_machine.Traveller
) -> None:
    other = UserFactory.create()
    login()
    user.refresh_from_db()
    first = user.last_login
    clock.shift(60)
    login()
    user.refresh_from_db()
    assert first
    assert user.last_login
    assert (user.last_login - first).total_seconds() == 60
    assert User.objects.get(pk=other.pk).last_login == other.last_login


@pytest.mark.parametrize("in_token", [True, False])
@pytest.mark.parametrize("in_response", [True, False])
def test_extra_claims_go_where_the_settings_say(
    login: Login,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    in_token: bool,
    in_response: bool,
) -> None:
    settings.EXTRA_CLAIMS_IN_TOKEN = in_token
    settings.EXTRA_CLAIMS_IN_RESPONSE = in_response
    monkeypatch.setattr(tokens, "claims_for", lambda user: {"colour": "blue"})
    answer = login()
    assert ("colour" in payload(answer["access"])) is in_token
    assert ("colour" in answer) is in_response
    assert "colour" not in payload(answer["refresh"])


def test_a_wrong_password_begins_no_session(client: APIClient, user: User) -> None:
    response = client.post("/api/token/", credentials(user, "wrong"))
    assert response.status_code == 401
    assert not LoginSession.objects.exists()


@pytest.mark.parametrize("value", NO_STRINGS)
@pytest.mark.parametrize("field", [User.USERNAME_FIELD, "password"])
def test_a_field_that_is_no_string_is_a_400_that_names_it(
    client: APIClient, user: User, field: str, value: object
) -> None:
    response = client.post("/api/token/", {**credentials(user), field: value})
    assert response.status_code == 400
    assert response.json().keys() == {field}


def test_missing_fields_are_a_400_that_names_them(client: APIClient) -> None:
    response = client.post("/api/token/", {})
    assert response.status_code == 400
    assert response.json().keys() == {User.USERNAME_FIELD, "password"}


def test_empty_fields_are_a_wrong_pair(client: APIClient, db: None) -> None:
    body = {User.USERNAME_FIELD: "", "password": ""}
    assert client.post("/api/token/", body).status_code == 401


def test_a_bad_token_does_not_stand_in_the_way_of_a_login(client: APIClient, user: User) -> None:
    response = client.post("/api/token/", credentials(user), headers=authorization("rubbish"))
    assert response.status_code == 200


# jinja: if cookiecutter.login_field == "email"
@pytest.mark.parametrize("spelling", [str.upper, str.title, str.lower])
def test_the_case_of_an_address_does_not_matter(
    client: APIClient, user: User, spelling: type[str]
) -> None:
    body = {**credentials(user), "email": spelling(user.email)}
    assert client.post("/api/token/", body).status_code == 200


# jinja: endif
@pytest.mark.django_db(transaction=True)
def test_a_user_who_is_deleted_meanwhile_is_unknown(
    client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = UserFactory.create()
    body = credentials(user)
    check_password = User.check_password

    def delete_after(self: User, raw_password: str) -> bool:
        right = check_password(self, raw_password)
        User.objects.filter(pk=self.pk).delete()
        return right

    unknown = client.post("/api/token/", credentials(user, "wrong"))
    monkeypatch.setattr(User, "check_password", delete_after)
    answer = client.post("/api/token/", body)
    assert (answer.status_code, answer.json()) == (401, unknown.json())


def test_users_are_told_apart(client: APIClient, login: Login, user: User) -> None:
    other = UserFactory.create()
    for who in (user, other):
        headers = authorization(login(who)["access"])
        assert client.get("/api/users/me/", headers=headers).json()["id"] == who.pk
