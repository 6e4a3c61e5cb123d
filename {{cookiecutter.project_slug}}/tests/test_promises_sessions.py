"""Promises about login sessions: refresh, revocation, the end of a user's rights.

Each docstring begins with the number of the promise.
"""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.conftest import Login, authorization, credentials, last_refresh_was, payload
from tests.factories import PASSWORD, UserFactory
from tests.forge import ABSENT, REFUSED, SIMPLE_JWT, SUBJECT, answers, forge
from users.models import User

Pair = dict[str, Any]


@pytest.fixture
def grace(settings: Settings) -> timedelta:
    """A grace period shorter than any token's life."""
    lifetime: timedelta = SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"]
    settings.REFRESH_GRACE_PERIOD = grace = lifetime / 4
    return grace


@pytest.fixture
def no_grace(settings: Settings) -> None:
    settings.REFRESH_GRACE_PERIOD = timedelta(0)


def post(door: str, **body: object) -> Any:
    path, text = f"/api/token/{door}/", json.dumps(body)
    return APIClient().post(path, text, content_type="application/json")


def refresh(pair: Pair) -> Pair:
    """The next pair."""
    response = post("refresh", refresh=pair["refresh"])
    assert response.status_code == 200, response.content
    return dict(response.json())


def is_alive(pair: Pair) -> bool:
    """Whether a session goes on: each of its tokens is good at its doors, or none is."""
    statuses = {
        answers(pair["access"])["access"],
        answers(pair["access"])["verify"],
        post("verify", token=pair["refresh"]).status_code,
    }
    assert statuses in ({200}, {401})
    return statuses == {200}


# Refresh


def test_a_refresh_token_is_used_once(client: APIClient, login: Login, no_grace: None) -> None:
    """20. Every refresh makes a new one, and the old one is dead."""
    old = login()
    new = refresh(old)
    assert new["refresh"] != old["refresh"]
    assert post("verify", token=old["refresh"]).status_code == 401
    assert post("verify", token=new["refresh"]).status_code == 200
    assert answers(old["refresh"]) == REFUSED


def test_the_grace_period_ends(client: APIClient, login: Login, grace: timedelta) -> None:
    """20. And with it the last use of the old token."""
    old = login()
    refresh(old)
    last_refresh_was(ago=grace)
    assert answers(old["refresh"]) == REFUSED


def test_a_used_refresh_token_ends_its_session(login: Login, no_grace: None) -> None:
    """21. Somebody has a copy: thief and owner are both out (RFC 9700 4.14.2)."""
    old = login()
    new = refresh(old)
    assert post("refresh", refresh=old["refresh"]).status_code == 401
    assert not is_alive(new)
    assert post("refresh", refresh=new["refresh"]).status_code == 401


def test_an_older_ancestor_ends_its_session_within_the_grace_period(
    login: Login, grace: timedelta
) -> None:
    """21. The grace period is for the direct parent only."""
    oldest = login()
    newest = refresh(refresh(oldest))
    assert post("verify", token=oldest["refresh"]).status_code == 401
    assert is_alive(newest)  # to ask is no theft
    assert post("refresh", refresh=oldest["refresh"]).status_code == 401
    assert not is_alive(newest)


@pytest.mark.django_db(transaction=True)
def test_a_revocation_stays_although_the_answer_is_an_error(
    login: Login, no_grace: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """21. With every request in a transaction, which an error rolls back."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    old = login()
    new = refresh(old)
    assert post("refresh", refresh=old["refresh"]).status_code == 401
    assert not is_alive(new)


def test_a_lost_answer_is_given_again_and_nothing_forks(login: Login, grace: timedelta) -> None:
    """21. Within the grace period the parent gets the same successor."""
    parent = login()
    first, again = refresh(parent), refresh(parent)
    numbers = [
        (payload(pair["refresh"])["sid"], payload(pair["refresh"])["seq"])
        for pair in (first, again)
    ]
    assert numbers[0] == numbers[1]
    assert is_alive(first)
    assert is_alive(again)
    newest = refresh(first)  # which is what ``again`` is the parent of, too
    assert refresh(again).keys() == newest.keys()
    assert is_alive(newest)


Request = Callable[[Pair], Any]


def use(pair: Pair) -> Any:
    return post("refresh", refresh=pair["refresh"])


def logout(pair: Pair) -> Any:
    return post("blacklist", refresh=pair["refresh"])


def interleaved(first: Request, second: Request, pair: Pair, at: int) -> list[Any]:
    """The answers to two requests, the second made in the midst of the first.

    It is made just before ``first`` sends its SQL statement number ``at``; its
    answer is missing where there are fewer statements.
    """
    number, within = count(), []

    def meanwhile(execute: Any, *arguments: Any) -> Any:
        if next(number) == at:
            within.append(second(pair))
        return execute(*arguments)

    with connection.execute_wrapper(meanwhile):
        response = first(pair)
    return [response, *within]


def in_every_order(
    first: Request, second: Request, login: Login
) -> Iterator[tuple[Pair, list[Any]]]:
    """The pair of a new login and the answers to both, for each way they can meet."""
    for at in count():
        pair = login()
        responses = interleaved(first, second, pair, at)
        if len(responses) == 1:
            assert at > 0
            return
        assert {response.status_code for response in responses} <= {200, 401}
        yield pair, responses


def made_by(responses: list[Any]) -> list[Pair]:
    """The pairs that the answers hold."""
    return [r.json() for r in responses if "refresh" in r.json()]


def test_one_refresh_token_has_one_successor_whatever_happens_meanwhile(
    login: Login, no_grace: None
) -> None:
    """22. Of two requests one wins at most, whichever statement meets which."""
    for pair, responses in in_every_order(use, use, login):
        assert len(made_by(responses)) <= 1
        assert answers(pair["refresh"]) == REFUSED


def test_two_tabs_that_refresh_at_once_both_live_on(login: Login, grace: timedelta) -> None:
    """22. Within the grace period both get the one successor."""
    for _pair, responses in in_every_order(use, use, login):
        one, other = made_by(responses)
        assert payload(one["refresh"])["seq"] == payload(other["refresh"])["seq"] == 1
        assert is_alive(one)
        assert is_alive(other)


@pytest.mark.parametrize("order", [(logout, use), (use, logout)])
def test_logout_racing_refresh_leaves_no_live_session(
    login: Login, grace: timedelta, order: tuple[Request, Request]
) -> None:
    """22. Whichever of the two is in the midst of the other."""
    for pair, responses in in_every_order(*order, login):
        assert not any(map(is_alive, [pair, *made_by(responses)]))


# Revocation


def test_logout_ends_the_session_at_once(login: Login) -> None:
    """23. Refresh, verify, and the access tokens."""
    pair = login()
    assert post("blacklist", refresh=pair["refresh"]).status_code == 200
    assert not is_alive(pair)
    assert post("refresh", refresh=pair["refresh"]).status_code == 401


def test_any_refresh_token_of_a_session_logs_it_out(
    login: Login, no_grace: None, clock: time_machine.Traveller
) -> None:
    """23. An old one too, whose time may be over."""
    old = login()
    clock.move_to(payload(old["refresh"])["exp"] - 1)
    new = refresh(old)
    clock.shift(1)
    assert post("verify", token=old["refresh"]).status_code == 401
    assert post("blacklist", refresh=old["refresh"]).json() == {}
    assert not is_alive(new)


@pytest.mark.parametrize("text", ["", "rubbish", "a.b.c", "..", "\0", "é", "\ud800", "x" * 100_000])
def test_logout_is_idempotent_and_rubbish_is_harmless(login: Login, text: str) -> None:
    """23. RFC 7009 section 2.2."""
    pair, other = login(), login()
    for refresh_token in (text, pair["refresh"], pair["refresh"], pair["access"]):
        response = post("blacklist", refresh=refresh_token)
        assert (response.status_code, response.json()) == (200, {})
    assert not is_alive(pair)
    assert is_alive(other)


@pytest.mark.parametrize("claim", ["jti", SUBJECT, "sid", "seq"])
@pytest.mark.parametrize("value", [ABSENT, None, "", "\0", "x" * 300, [], -1])
def test_a_logout_with_claims_that_are_none_ends_nothing(
    login: Login, claim: str, value: object
) -> None:
    """15, 23. Signed by us, though never issued."""
    pair = login()
    response = post("blacklist", refresh=forge(pair["refresh"], **{claim: value}))
    assert (response.status_code, response.json()) == (200, {})
    assert is_alive(pair)


def test_an_access_token_logs_nobody_out(login: Login) -> None:
    """23. It is not a refresh token, and the answer does not tell."""
    pair = login()
    assert post("blacklist", refresh=pair["access"]).status_code == 200
    assert is_alive(pair)


def disable(user: User) -> None:
    user.is_active = False
    user.save()


def delete(user: User) -> None:
    user.delete()


def replace(user: User) -> None:
    """Deletes a user and makes one who has everything of theirs but the password."""
    key, password = user.pk, user.password
    user.delete()
    user.pk = key
    user.save(force_insert=True)
    user.set_password("another Passphrase, 8")
    user.save()
    assert password != user.password


def recreate(user: User) -> None:
    """Deletes a user and makes one with everything of theirs."""
    key = user.pk
    user.delete()
    user.pk = key
    user.save(force_insert=True)


@pytest.mark.parametrize("change", [disable, delete, replace, recreate])
def test_a_user_who_is_gone_is_refused_everywhere(
    client: APIClient, login: Login, user: User, change: Callable[[User], None]
) -> None:
    """24. At login, refresh, verify and access, at once."""
    pair, body = login(), credentials(user)
    change(user)
    status = 200 if change is recreate else 401
    assert client.post("/api/token/", body, format="json").status_code == status
    assert not is_alive(pair)
    assert post("refresh", refresh=pair["refresh"]).status_code == 401


def test_a_password_change_over_the_api_ends_every_session(
    client: APIClient, login: Login, user: User
) -> None:
    """25. The caller's too."""
    pairs = [login(), login()]
    body = {"current_password": PASSWORD, "new_password": "another Passphrase, 8"}
    response = client.post(
        "/api/users/me/password/",
        body,
        format="json",
        headers=authorization(pairs[0]["access"]),
    )
    assert response.status_code == 204
    assert not any(map(is_alive, pairs))
    for pair in pairs:
        assert post("refresh", refresh=pair["refresh"]).status_code == 401


def test_a_password_set_by_anyone_ends_every_session(
    client: APIClient, login: Login, user: User
) -> None:
    """25. In the admin or a shell, be it the same password again."""
    pair = login()
    user.set_password(PASSWORD)
    user.save()
    assert not is_alive(pair)
    new = login()
    assert is_alive(new)
    listed = client.get("/api/sessions/", headers=authorization(new["access"]))
    assert len(listed.json()) == 1


def test_an_upgrade_of_the_password_hasher_ends_no_session(
    login: Login, user: User, settings: Settings
) -> None:
    """25. The next login stores the same password by a newer hasher; the dead stay dead."""
    dead = login()
    user.set_password(PASSWORD)
    user.save()
    pair, old_hash = login(), user.password
    settings.PASSWORD_HASHERS = [*reversed(settings.PASSWORD_HASHERS)]
    second = login()
    user.refresh_from_db()
    assert user.password.split("$")[0] != old_hash.split("$")[0]
    assert is_alive(refresh(pair))
    assert is_alive(second)
    assert not is_alive(dead)


@pytest.fixture
def late(login: Login, user: User, settings: Settings) -> User:
    """A user whose hash is due for an upgrade, as a slow request has read it."""
    user.set_password(PASSWORD)
    user.save()
    settings.PASSWORD_HASHERS = [*reversed(settings.PASSWORD_HASHERS)]
    return User.objects.get(pk=user.pk)


def test_two_upgrades_at_once_end_no_session(login: Login, late: User) -> None:
    """25. The slower of two logins goes on with what the quicker has stored."""
    pair = login()
    assert late.check_password(PASSWORD)
    assert is_alive(pair)
    assert late.password == User.objects.get(pk=late.pk).password


def test_an_upgrade_does_not_undo_a_change_of_password(user: User, late: User) -> None:
    """25. The old password is not stored anew, and does not count any more."""
    user.set_password("another Passphrase, 8")
    user.save()
    assert not late.check_password(PASSWORD)
    assert not User.objects.get(pk=user.pk).check_password(PASSWORD)


def test_no_usable_token_is_at_rest(login: Login) -> None:
    """26. Neither a token, nor a part of one, nor the key that signs them."""
    pair = login()
    pairs = [pair, refresh(pair)]
    rows = [
        str(value)
        for model in apps.get_models()
        for row in model._default_manager.values_list()
        for value in row
    ]
    assert rows
    for pair in pairs:
        for token in (pair["access"], pair["refresh"]):
            for part in token.split(".")[1:]:
                assert not any(part in row for row in rows)


def test_one_sessions_end_leaves_the_others_alone(login: Login, user: User, no_grace: None) -> None:
    """27. Logout and theft concern one login; neighbours notice nothing."""
    other_user, stolen, left = login(UserFactory.create()), login(), login()
    stay = login()
    refresh(stolen)
    assert post("refresh", refresh=stolen["refresh"]).status_code == 401
    assert post("blacklist", refresh=left["refresh"]).status_code == 200
    assert is_alive(refresh(stay))
    assert is_alive(other_user)


def test_other_fields_do_not_steer_a_refresh(login: Login, user: User) -> None:
    """27. Only the token says who refreshes what, and for how long."""
    other = UserFactory.create()
    foreign = payload(login(other)["access"])
    pair = login()
    steering = {"user": other.pk, "user_id": other.pk, "lifetime": 10**9, "is_staff": True}
    own = {"refresh": pair["refresh"], "access": pair["refresh"]}
    response = post("refresh", **foreign | steering | own)
    assert response.status_code == 200
    for kind in ("access", "refresh"):
        before, after = payload(pair[kind]), payload(response.json()[kind])
        for name in ("sub", SUBJECT, "sid", "iss", "aud", "exp", "token_type"):
            assert after[name] == before[name], name
