"""Refreshing and verifying: ``POST /api/token/refresh/`` and ``/api/token/verify/``."""

from datetime import timedelta

import pytest
import time_machine
from pytest_django import Settings
from rest_framework.test import APIClient
from rest_framework_simplejwt.settings import api_settings

from tests.conftest import NO_STRINGS, Login, last_refresh_was, opens, payload, refresh, verify
from tokens import sessions
from tokens.models import LoginSession
from tokens.tokens import RefreshToken
from users.models import User

SECOND = timedelta(seconds=1)


def test_a_refresh_yields_the_next_pair(client: APIClient, login: Login) -> None:
    old = login()
    new = refresh(old["refresh"]).json()
    assert opens(new["access"])
    before, after = payload(old["refresh"]), payload(new["refresh"])
    assert (after["sid"], after["seq"]) == (before["sid"], before["seq"] + 1)
    assert after["jti"] != before["jti"]


def test_a_refresh_leaves_earlier_access_tokens_alone(client: APIClient, login: Login) -> None:
    pair = login()
    refresh(pair["refresh"])
    assert opens(pair["access"])


def test_a_chain_of_refreshes_goes_on(client: APIClient, login: Login) -> None:
    pair = login()
    for number in range(1, 6):
        pair = refresh(pair["refresh"]).json()
        assert payload(pair["refresh"])["seq"] == number


def test_tokens_clamp_to_their_lifetime(
    client: APIClient, login: Login, clock: time_machine.Traveller
) -> None:
    pair = login()
    access: timedelta = api_settings.ACCESS_TOKEN_LIFETIME
    clock.shift(access - SECOND)
    assert opens(pair["access"])
    assert verify(pair["access"]).status_code == 200
    clock.shift(SECOND)
    assert not opens(pair["access"])
    assert verify(pair["access"]).status_code == 401
    clock.shift(api_settings.REFRESH_TOKEN_LIFETIME - access - SECOND)
    assert verify(pair["refresh"]).status_code == 200
    clock.shift(SECOND)
    assert verify(pair["refresh"]).status_code == 401
    assert refresh(pair["refresh"]).status_code == 401


def test_claims_are_computed_anew_at_every_refresh(
    client: APIClient,
    login: Login,
    user: User,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.EXTRA_CLAIMS_IN_TOKEN = True
    monkeypatch.setattr("tokens.tokens.claims_for", lambda user: {"a": user.is_staff})
    User.objects.update(is_staff=True)
    pair = login()
    assert payload(pair["access"])["a"] is True
    User.objects.update(is_staff=False)
    pair = refresh(pair["refresh"]).json()
    assert payload(pair["access"])["a"] is False


@pytest.mark.parametrize("body", [{}, *({"refresh": value} for value in NO_STRINGS)])
def test_a_refresh_without_a_string_is_a_400(client: APIClient, body: dict[str, object]) -> None:
    response = client.post("/api/token/refresh/", body)
    assert response.status_code == 400
    assert response.json().keys() == {"refresh"}


@pytest.mark.parametrize("body", [{}, *({"token": value} for value in NO_STRINGS)])
def test_a_verification_without_a_string_is_a_400(
    client: APIClient, body: dict[str, object]
) -> None:
    response = client.post("/api/token/verify/", body)
    assert response.status_code == 400
    assert response.json().keys() == {"token"}


@pytest.mark.parametrize("token", ["", "rubbish", "a.b.c", "e30.e30."])
def test_rubbish_is_a_401(client: APIClient, db: None, token: str) -> None:
    assert refresh(token).status_code == 401
    assert verify(token).status_code == 401


def test_verify_says_yes_to_tokens_that_are_good_and_changes_nothing(
    client: APIClient, login: Login
) -> None:
    pair = login()
    row = LoginSession.objects.values().get()
    for kind in ("access", "refresh", "refresh"):
        answer = verify(pair[kind])
        assert (answer.status_code, answer.json()) == (200, {})
    assert LoginSession.objects.values().get() == row


def test_verify_says_of_a_used_refresh_token_what_a_refresh_would(
    client: APIClient, user: User, settings: Settings
) -> None:
    settings.SESSION_LIFETIME = timedelta(days=1)
    settings.REFRESH_GRACE_PERIOD = 10 * SECOND
    session = sessions.start(user)
    current = refresh(str(RefreshToken.for_session(session, 0))).json()
    last_refresh_was(ago=settings.REFRESH_GRACE_PERIOD - SECOND)
    parent = RefreshToken.for_session(session, 0)
    assert verify(str(parent)).status_code == 200
    last_refresh_was(ago=settings.REFRESH_GRACE_PERIOD)
    parent = RefreshToken.for_session(session, 0)
    assert verify(str(parent)).status_code == 401
    session.refresh_from_db()
    assert session.revoked is None
    assert session.seq == payload(current["refresh"])["seq"]
