"""Login sessions: seen and ended over the API, and their end come what may."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient
from rest_framework_simplejwt.settings import api_settings

from tests.conftest import (
    NO_STRINGS,
    Login,
    authorization,
    credentials,
    last_refresh_was,
    opens,
    payload,
    refresh,
)
from tests.factories import UserFactory
from tokens import sessions
from tokens.models import LoginSession
from tokens.tokens import RefreshToken
from users.models import User

REFRESH_TOKEN_LIFETIME: timedelta = api_settings.REFRESH_TOKEN_LIFETIME


def listed(client: APIClient, pair: dict[str, Any]) -> list[dict[str, Any]]:
    """``GET /api/sessions/``."""
    headers = authorization(pair["access"])
    return list(client.get("/api/sessions/", headers=headers).json())


def end(client: APIClient, pair: dict[str, Any], sid: object = "") -> int:
    """The status of ``DELETE /api/sessions/``, or of one of them."""
    path = f"/api/sessions/{sid}/" if sid else "/api/sessions/"
    return client.delete(path, headers=authorization(pair["access"])).status_code


def written(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def sid_of(pair: dict[str, Any]) -> str:
    return str(payload(pair["access"])["sid"])


# Seen and ended by their owner


def test_the_list_tells_what_there_is_to_know_of_a_session(client: APIClient, login: Login) -> None:
    pair = login()
    pair = refresh(pair["refresh"]).json()
    session = LoginSession.objects.get()
    [item] = listed(client, pair)
    assert item == {
        "id": str(session.pk),
        "created": written(session.created),
        "last_used": written(session.rotated),
        "user_agent": "",
        "address": "127.0.0.1",
        "current": True,
    }


def test_the_list_holds_the_callers_live_sessions_only(client: APIClient, login: Login) -> None:
    login(UserFactory.create())
    ended, over, other, mine = login(), login(), login(), login()
    client.post("/api/token/blacklist/", {"refresh": ended["refresh"]})
    LoginSession.objects.filter(pk=sid_of(over)).update(expires=timezone.now())
    current = {item["id"]: item["current"] for item in listed(client, mine)}
    assert current == {sid_of(other): False, sid_of(mine): True}


def test_a_session_is_told_by_its_user_and_address(user: User) -> None:
    assert str(sessions.start(user, address="192.0.2.1")) == f"{user} from 192.0.2.1"
    assert "unknown" in str(sessions.start(user))


def test_a_session_ends_once(user: User, clock: time_machine.Traveller) -> None:
    session = sessions.start(user)
    assert LoginSession.objects.revoke() == 1
    end = LoginSession.objects.get(pk=session.pk).revoked
    clock.shift(60)
    assert LoginSession.objects.revoke() == 0
    assert LoginSession.objects.get(pk=session.pk).revoked == end


def test_one_device_is_logged_out(client: APIClient, login: Login) -> None:
    lost, kept = login(), login()
    assert end(client, kept, sid_of(lost)) == 204
    assert not opens(lost["access"])
    assert refresh(lost["refresh"]).status_code == 401
    assert opens(kept["access"])


def test_all_devices_are_logged_out_and_nobody_elses(client: APIClient, login: Login) -> None:
    mine, others = [login(), login()], login(UserFactory.create())
    assert end(client, mine[0]) == 204
    assert not any(opens(pair["access"]) for pair in mine)
    assert opens(others["access"])


def test_a_session_that_is_not_there_is_a_404(client: APIClient, login: Login) -> None:
    mine, ended, others = login(), login(), login(UserFactory.create())
    end(client, mine, sid_of(ended))
    for sid in (sid_of(ended), sid_of(others), uuid4(), "1"):
        assert end(client, mine, sid) == 404
    assert opens(others["access"])


@pytest.mark.parametrize("body", [{}, *({"refresh": value} for value in NO_STRINGS)])
def test_a_logout_without_a_string_is_a_400(client: APIClient, body: dict[str, object]) -> None:
    response = client.post("/api/token/blacklist/", body)
    assert response.status_code == 400
    assert response.json().keys() == {"refresh"}


def test_an_expired_refresh_token_still_logs_out(
    client: APIClient, user: User, settings: Settings, clock: time_machine.Traveller
) -> None:
    settings.SESSION_LIFETIME = REFRESH_TOKEN_LIFETIME + timedelta(days=1)
    session = sessions.start(user)
    token = RefreshToken.for_session(session, 0)
    clock.shift(REFRESH_TOKEN_LIFETIME)
    access = RefreshToken.for_session(session, 0).access_token
    assert opens(str(access))
    response = client.post("/api/token/blacklist/", {"refresh": str(token)})
    assert (response.status_code, response.json()) == (200, {})
    assert not opens(str(access))


# Their end


def test_a_refresh_cannot_outlive_the_session(
    client: APIClient, login: Login, settings: Settings, clock: time_machine.Traveller
) -> None:
    settings.SESSION_LIFETIME = REFRESH_TOKEN_LIFETIME
    pair = login()
    end = payload(pair["refresh"])["exp"]
    clock.shift(1)
    pair = refresh(pair["refresh"]).json()
    assert payload(pair["refresh"])["exp"] == end
    clock.shift(REFRESH_TOKEN_LIFETIME - timedelta(seconds=2))
    pair = refresh(pair["refresh"]).json()
    assert payload(pair["access"])["exp"] == payload(pair["refresh"])["exp"] == end
    clock.shift(1)
    assert not opens(pair["access"])
    assert refresh(pair["refresh"]).status_code == 401
    assert listed(client, login()) != []


def five_paths(client: APIClient, pair: dict[str, Any], body: dict[str, str]) -> dict[str, int]:
    """The statuses with which everything answers that depends on the user."""
    headers = authorization(pair["access"])
    answers = {
        "login": client.post("/api/token/", body),
        "refresh": refresh(pair["refresh"]),
        "verify": client.post("/api/token/verify/", {"token": pair["refresh"]}),
        "access": client.get("/api/users/me/", headers=headers),
        "sessions": client.get("/api/sessions/", headers=headers),
    }
    return {path: answer.status_code for path, answer in answers.items()}


ALL_REFUSED = dict.fromkeys(("login", "refresh", "verify", "access", "sessions"), 401)


def delete(user: User) -> None:
    User.objects.filter(pk=user.pk).delete()


def disable(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def create_again(user: User) -> None:
    delete(user)
    name = {User.USERNAME_FIELD: user.get_username()}
    UserFactory.create(pk=user.pk, password=make_password("another"), **name)


@pytest.mark.parametrize("change", [delete, disable, create_again])
def test_a_user_who_is_no_more_is_refused_on_all_paths(
    client: APIClient, login: Login, user: User, change: Callable[[User], None]
) -> None:
    pair, body = login(), credentials(user)
    change(user)
    assert five_paths(client, pair, body) == ALL_REFUSED


def test_a_user_who_never_was_is_refused_on_all_paths(client: APIClient, user: User) -> None:
    token = RefreshToken.for_session(sessions.start(user), 0)
    token["sub"] = str(user.pk + 1)
    pair = {"access": str(token.access_token), "refresh": str(token)}
    body = {**credentials(user), User.USERNAME_FIELD: "nobody@example.com"}
    assert five_paths(client, pair, body) == ALL_REFUSED


def test_a_password_written_to_the_database_ends_every_session(
    client: APIClient, login: Login, user: User
) -> None:
    pairs = [login(), login()]
    User.objects.filter(pk=user.pk).update(password=make_password("another"))
    for pair in pairs:
        assert not opens(pair["access"])
        assert refresh(pair["refresh"]).status_code == 401


# A theft


def test_after_the_grace_period_a_used_token_ends_its_session_and_no_other(
    client: APIClient, login: Login, user: User, settings: Settings
) -> None:
    settings.SESSION_LIFETIME = timedelta(days=1)
    session = sessions.start(user)
    refresh(str(RefreshToken.for_session(session, 0)))
    last_refresh_was(ago=settings.REFRESH_GRACE_PERIOD)
    other, current = login(), RefreshToken.for_session(session, 1)
    used = RefreshToken.for_session(session, 0)
    assert opens(str(current.access_token))
    assert refresh(str(used)).status_code == 401
    assert not opens(str(current.access_token))
    assert refresh(str(current)).status_code == 401
    assert opens(other["access"])


def test_a_token_that_was_never_issued_is_refused_and_ends_nothing(
    client: APIClient, user: User
) -> None:
    session = sessions.start(user)
    early = RefreshToken.for_session(session, 1)
    assert refresh(str(early)).status_code == 401
    assert refresh(str(RefreshToken.for_session(session, 0))).status_code == 200


def test_a_theft_is_logged_without_the_token(
    client: APIClient,
    login: Login,
    user: User,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.REFRESH_GRACE_PERIOD = timedelta(0)
    pair = login()
    refresh(pair["refresh"])
    client.post("/api/token/refresh/", {"refresh": pair["refresh"]}, REMOTE_ADDR="192.0.2.7")
    [record] = [record for record in caplog.records if record.name == "tokens.sessions"]
    assert record.levelno == logging.WARNING
    for known in (sid_of(pair), str(user.pk), "192.0.2.7"):
        assert known in record.getMessage()
    for part in pair["refresh"].split("."):
        assert part not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_revocation_is_committed_although_the_request_fails(
    client: APIClient,
    login: Login,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    settings.REFRESH_GRACE_PERIOD = timedelta(0)
    old = login()
    new = refresh(old["refresh"]).json()
    assert refresh(old["refresh"]).status_code == 401
    assert not opens(new["access"])
