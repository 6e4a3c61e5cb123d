"""Promises 20 to 27: refresh, revocation, and the end of a user's rights."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import chain, count
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as current
from django.contrib.auth.hashers import make_password
from django.db import connection
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.conftest import (
    Clock,
    Login,
    Pair,
    credentials,
    each,
    is_alive,
    last_refresh_was,
    logout,
    opens,
    payload,
    refresh,
    refreshed,
    verify,
)
from tests.factories import PASSWORD, UserFactory
from tests.forge import ABSENT, REFUSED, answers, forge
from users.models import User

KINDS = ["access", "refresh"]
NEW_PASSWORD = "another Passphrase, 8"


def is_dead(pair: Pair) -> bool:
    """Return whether a session has ended, for refresh, verify and access."""
    return not is_alive(pair) and refresh(pair["refresh"]).status_code == 401


def test_20_a_refresh_token_is_used_once(login: Login, no_grace: None) -> None:
    """Every refresh returns a new one, and earlier access tokens still work."""
    old = login()
    new = refreshed(old)
    before, after = payload(old["refresh"]), payload(new["refresh"])
    assert (after["sid"], after["seq"]) == (before["sid"], before["seq"] + 1)
    assert after["jti"] != before["jti"]
    assert opens(old["access"])
    assert is_alive(new)
    assert answers(old["refresh"]) == REFUSED


@pytest.mark.django_db(transaction=True)
@each("atomic", False, True)
def test_21_a_used_refresh_token_ends_its_session(
    login: Login, no_grace: None, monkeypatch: pytest.MonkeyPatch, atomic: bool
) -> None:
    """Somebody has a copy, so thief and user are both logged out (RFC 9700 section 4.14.2).

    This holds although an error rolls back the transaction of a request.
    """
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", atomic)
    old = login()
    new = refreshed(old)
    assert refresh(old["refresh"]).status_code == 401
    assert is_dead(new)


def test_21_the_grace_period_ends(login: Login, grace: timedelta) -> None:
    """After it, the old token is of no use. To verify it is no theft."""
    old = login()
    new = refreshed(old)
    last_refresh_was(ago=grace - timedelta(seconds=10))
    assert verify(old["refresh"]).status_code == 200
    last_refresh_was(ago=grace)
    refreshed(login())  # in another session
    assert verify(old["refresh"]).status_code == 401
    assert is_alive(new)
    assert refresh(old["refresh"]).status_code == 401
    assert is_dead(new)


def test_21_an_older_ancestor_is_a_theft_in_the_grace_period(
    login: Login, grace: timedelta
) -> None:
    """The grace period is for the direct parent only."""
    oldest = login()
    newest = refreshed(refreshed(oldest))
    assert verify(oldest["refresh"]).status_code == 401
    assert is_alive(newest)
    assert refresh(oldest["refresh"]).status_code == 401
    assert is_dead(newest)


def test_21_a_theft_is_logged_without_the_token(
    client: APIClient, login: Login, user: User, no_grace: None, caplog: pytest.LogCaptureFixture
) -> None:
    pair = login()
    refreshed(pair)
    client.post("/api/token/refresh/", {"refresh": pair["refresh"]}, REMOTE_ADDR="192.0.2.7")
    [record] = [record for record in caplog.records if record.name == "tokens.sessions"]
    assert record.levelno == logging.WARNING
    for known in (payload(pair["refresh"])["sid"], str(user.pk), "192.0.2.7"):
        assert known in record.getMessage()
    assert not any(part in caplog.text for part in pair["refresh"].split("."))


Request = Callable[[str], Any]


def interleaved(first: Request, second: Request, login: Login) -> Iterator[tuple[Pair, list[Any]]]:
    """Return a new pair and the responses to two requests, in every order of statements.

    The second is made just before the first one sends its SQL statement number ``at``.
    """
    for at in count():
        pair, number, within = login(), count(), []

        def meanwhile(execute: Any, *arguments: Any) -> Any:
            if next(number) == at:  # noqa: B023 - it is called in this turn alone
                within.append(second(pair["refresh"]))  # noqa: B023
            return execute(*arguments)

        with connection.execute_wrapper(meanwhile):
            answered = first(pair["refresh"])
        if not within:
            assert at > 0
            return
        assert {response.status_code for response in (answered, *within)} <= {200, 401}
        yield pair, [r.json() for r in (answered, *within) if "refresh" in r.json()]


def test_22_exactly_one_successor_whatever_happens_meanwhile(login: Login, no_grace: None) -> None:
    """Of two requests at most one wins, whatever the order of their statements."""
    for pair, successors in interleaved(refresh, refresh, login):
        assert len(successors) <= 1
        assert answers(pair["refresh"]) == REFUSED


def test_22_two_tabs_that_refresh_at_once_both_live_on(login: Login, grace: timedelta) -> None:
    """In the grace period both get the same successor, as after a lost response (21)."""
    for _, (one, other) in interleaved(refresh, refresh, login):
        assert payload(one["refresh"])["seq"] == payload(other["refresh"])["seq"] == 1
        assert is_alive(one)
        newest = refreshed(one)  # the other one is its parent, too
        assert payload(refreshed(other)["refresh"])["seq"] == payload(newest["refresh"])["seq"]
        assert is_alive(newest)


@pytest.mark.parametrize("order", [(logout, refresh), (refresh, logout)], ids=["in", "out"])
def test_22_logout_racing_refresh_leaves_no_live_session(
    login: Login, grace: timedelta, order: tuple[Request, Request]
) -> None:
    """Either one may happen while the other is under way."""
    for pair, successors in interleaved(*order, login):
        assert all(map(is_dead, [pair, *successors]))


def test_23_any_refresh_token_logs_out(login: Login, no_grace: None, clock: Clock) -> None:
    """It may be used or expired. Access tokens of the session stop working, too."""
    old, other = login(), login()
    assert logout(other["refresh"]).json() == {}
    assert is_dead(other)
    clock.move_to(payload(old["refresh"])["exp"] - 1)
    new = refreshed(old)
    clock.shift(1)
    assert verify(old["refresh"]).status_code == 401
    assert logout(old["refresh"]).json() == {}
    assert is_dead(new)


@each("text", "", "rubbish", "a.b.c", "..", "\0", "é", "\ud800", "x" * 10**5)
def test_23_logout_is_idempotent_and_rubbish_is_harmless(login: Login, text: str) -> None:
    """See RFC 7009 section 2.2. An access token is not a refresh token, and ends nothing."""
    pair, other = login(), login()
    for token in (text, pair["refresh"], pair["refresh"], other["access"]):
        response = logout(token)
        assert (response.status_code, response.json()) == (200, {})
    assert not is_alive(pair)
    assert is_alive(other)


@each("claim", "jti", "sub", "sid", "seq")
@each("value", ABSENT, None, "", "\0", "x" * 300, [], -1)
def test_23_a_logout_with_odd_claims_ends_nothing(login: Login, claim: str, value: object) -> None:
    """Such tokens are signed with our key, but were never issued."""
    pair = login()
    response = logout(forge(pair["refresh"], **{claim: value}))
    assert (response.status_code, response.json()) == (200, {})
    assert is_alive(pair)


def disable(user: User) -> None:
    User.objects.update(is_active=False)


def delete(user: User) -> None:
    User.objects.all().delete()


def recreate(user: User) -> None:
    """Create a user with all the values of one that was deleted."""
    delete(user)
    user.save(force_insert=True)


@each("change", disable, delete, recreate)
def test_24_a_user_who_is_gone_is_refused_everywhere(
    client: APIClient, login: Login, user: User, change: Callable[[User], None]
) -> None:
    """This holds for login, refresh, verify and access, immediately."""
    pair, body = login(), credentials(user)
    change(user)
    expected = 200 if change is recreate else 401
    assert client.post("/api/token/", body).status_code == expected
    assert is_dead(pair)


def change(user: User, client: APIClient) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert client.post("/api/users/me/password/", body).status_code == 204


def set_again(user: User, *_: APIClient) -> None:
    user.set_password(PASSWORD)
    user.save()


def write(user: User, *_: APIClient) -> None:
    User.objects.update(password=make_password(NEW_PASSWORD))


@each("way", change, set_again, write)
def test_25_a_password_change_ends_every_session(
    user_client: APIClient, login: Login, user: User, way: Callable[[User, APIClient], None]
) -> None:
    """Over the API that includes the caller's; in the admin or a shell, even the same password."""
    pairs = [login(), login()]
    way(user, user_client)
    assert all(map(is_dead, pairs))
    assert user_client.get("/api/users/me/").status_code == 401


@pytest.fixture
def due(user: User, settings: Settings) -> User:
    """Return a user whose hash needs an upgrade, as a slow request has read it."""
    settings.PASSWORD_HASHERS = [*reversed(settings.PASSWORD_HASHERS)]
    return User.objects.get(pk=user.pk)


def test_25_a_hasher_upgrade_ends_no_session(login: Login, user: User, settings: Settings) -> None:
    """The next login hashes the same password again. Ended sessions stay ended."""
    dead = login()
    set_again(user)
    pair, old_hash = login(), user.password
    settings.PASSWORD_HASHERS = [*reversed(settings.PASSWORD_HASHERS)]
    second = login()
    user.refresh_from_db()
    assert user.password.split("$")[0] != old_hash.split("$")[0]
    assert is_alive(refreshed(pair))
    assert is_alive(second)
    assert is_dead(dead)


def test_25_two_upgrades_at_once_end_no_session(login: Login, due: User) -> None:
    """The slower of two logins continues with the hash that the faster one has stored."""
    pair = login()
    assert due.check_password(PASSWORD)
    assert is_alive(pair)
    assert due.password == User.objects.get().password


def test_25_an_upgrade_does_not_undo_a_change_of_password(due: User) -> None:
    """The old password is not stored again, and is not accepted any more."""
    write(due)
    assert not due.check_password(PASSWORD)
    assert not User.objects.get().check_password(PASSWORD)


def test_26_no_usable_token_is_at_rest(login: Login) -> None:
    """Neither a token is stored, nor a part of one, nor the key that signs them."""
    pair = login()
    parts = [p[kind].split(".")[1:] for p in (pair, refreshed(pair)) for kind in KINDS]
    rows = [
        str(value)
        for model in apps.get_models()
        for row in model._default_manager.values_list()
        for value in row
    ]
    assert rows
    for secret in (*chain(*parts), current.JWT_SIGNING_KEY):
        assert not any(secret in row for row in rows)


def test_27_one_sessions_end_leaves_the_others_alone(login: Login, no_grace: None) -> None:
    """Logout and theft end one session, and affect no other."""
    other_user, stolen, left, stay = login(UserFactory.create()), login(), login(), login()
    refreshed(stolen)
    assert refresh(stolen["refresh"]).status_code == 401
    assert logout(left["refresh"]).status_code == 200
    assert is_alive(refreshed(stay))
    assert is_alive(other_user)


def test_27_other_fields_do_not_steer_a_refresh(client: APIClient, login: Login) -> None:
    """Only the token decides what is refreshed, and for how long."""
    other = UserFactory.create()
    pair, foreign = login(), payload(login(other)["access"])
    steering = {"user": str(other.pk), "user_id": str(other.pk), "lifetime": 10**9}
    own = {"refresh": pair["refresh"], "access": pair["refresh"], "is_staff": True}
    new = client.post("/api/token/refresh/", foreign | steering | own).json()
    for kind in KINDS:
        before, after = payload(pair[kind]), payload(new[kind])
        for name in ("sub", "sid", "iss", "aud", "exp", "token_type"):
            assert after[name] == before[name], name
