"""Promises about accounts: guessing, what an answer gives away, passwords.

Each docstring begins with the number of the promise. The limits are those of
``users/throttling.py``, which is the place to change them.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
import time_machine
from django.contrib.auth.hashers import get_hasher
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from api.addresses import client_address
from tests.conftest import Login, authorization, credentials
from tests.factories import PASSWORD, UserFactory
from users.models import Failure, User

PER_ACCOUNT_AND_ADDRESS = 10, timedelta(minutes=15)
PER_ADDRESS = 50, timedelta(minutes=15)
PER_ACCOUNT = 100, timedelta(hours=1)


def guess(name: str, password: str = "wrong", address: str = "192.0.2.1", **extra: Any) -> Any:
    """The answer to a login from an address."""
    body = json.dumps({User.USERNAME_FIELD: name, "password": password})
    client = APIClient()
    client.raise_request_exception = False
    return client.post(
        "/api/token/",
        body,
        content_type="application/json",
        REMOTE_ADDR=address,
        **extra,
    )


def guess_wrong(times: int, *arguments: Any, **extra: Any) -> None:
    for _ in range(times):
        assert guess(*arguments, **extra).status_code == 401


def assert_throttled(response: Any, window: timedelta) -> None:
    assert response.status_code == 429
    assert response["Content-Type"] == "application/json"
    assert response.json().keys() == {"detail"}
    assert 0 < int(response["Retry-After"]) <= window.total_seconds()


# Guessing


def test_ten_failures_throttle_an_account_at_an_address(user: User) -> None:
    """28. The right password is refused too, there and then."""
    limit, window = PER_ACCOUNT_AND_ADDRESS
    guess_wrong(limit, user.get_username())
    assert_throttled(guess(user.get_username()), window)
    assert_throttled(guess(user.get_username(), PASSWORD), window)
    assert guess(user.get_username(), PASSWORD, "192.0.2.2").status_code == 200


def test_fifty_failures_throttle_an_address(user: User) -> None:
    """28. Under however many names."""
    limit, window = PER_ADDRESS
    for number in range(limit):
        guess_wrong(1, f"nobody{number}@example.com")
    assert_throttled(guess("somebody@example.com"), window)
    assert_throttled(guess(user.get_username(), PASSWORD), window)
    assert guess(user.get_username(), PASSWORD, "192.0.2.2").status_code == 200


def test_a_hundred_failures_throttle_an_account(user: User) -> None:
    """28. From however many addresses; other accounts notice nothing."""
    limit, window = PER_ACCOUNT
    for number in range(limit):
        guess_wrong(1, user.get_username(), address=f"198.51.100.{number}")
    assert_throttled(guess(user.get_username(), PASSWORD, "203.0.113.1"), window)
    other = UserFactory.create()
    assert guess(other.get_username(), PASSWORD, "203.0.113.1").status_code == 200


def test_a_refused_attempt_is_not_counted(user: User, clock: time_machine.Traveller) -> None:
    """28. Who waits as long as they were told gets in, whoever else hammers on."""
    limit, _ = PER_ACCOUNT_AND_ADDRESS
    guess_wrong(limit, user.get_username())
    wait = int(guess(user.get_username())["Retry-After"])
    for _ in range(3 * limit):
        clock.shift(wait / (3 * limit + 1))
        assert guess(user.get_username(), PASSWORD).status_code == 429
    clock.shift(wait / (3 * limit + 1) + 1)
    assert guess(user.get_username(), PASSWORD).status_code == 200


def test_the_window_slides(user: User, clock: time_machine.Traveller) -> None:
    """28. No more than the limit in any quarter of an hour."""
    limit, window = PER_ACCOUNT_AND_ADDRESS
    guess_wrong(limit - 1, user.get_username())
    clock.shift(window - timedelta(seconds=1))
    guess_wrong(1, user.get_username())
    clock.shift(2)
    guess_wrong(limit - 1, user.get_username())
    assert guess(user.get_username()).status_code == 429


def test_a_login_forgets_the_failures_of_its_pair_only(user: User) -> None:
    """28. An attacker's own account does not clear the address."""
    limit, window = PER_ADDRESS
    own = UserFactory.create()
    for number in range(limit):
        guess_wrong(1, f"nobody{number}@example.com")
        if number % 7 == 0 and number < limit - 1:
            assert guess(own.get_username(), PASSWORD).status_code == 200
    assert_throttled(guess(own.get_username(), PASSWORD), window)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "upper case": str.upper,
    "title case": str.title,
    "a blank before": lambda name: f" {name}",
    "blanks after": lambda name: f"{name}\t\n ",
    "wide letters": lambda name: "".join(
        chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name
    ),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_another_spelling_of_the_name_evades_nothing(
    user: User, spell: Callable[[str], str]
) -> None:
    """28. Letter case, blanks, and what Unicode takes for the same."""
    limit, window = PER_ACCOUNT_AND_ADDRESS
    for number in range(limit):
        guess_wrong(1, [user.get_username(), spell(user.get_username())][number % 2])
    assert_throttled(guess(user.get_username(), PASSWORD), window)
    assert_throttled(guess(spell(user.get_username())), window)


@pytest.mark.parametrize(
    "extra",
    [
        {"HTTP_USER_AGENT": "another/2.0"},
        {"HTTP_COOKIE": "sessionid=new; csrftoken=new"},
        {"HTTP_AUTHORIZATION": "Basic YTpi"},
        {"HTTP_X_REAL_IP": "203.0.113.9"},
        {"HTTP_FORWARDED": "for=203.0.113.9"},
        {"HTTP_CLIENT_IP": "203.0.113.9"},
        {"QUERY_STRING": "format=api&again=1"},
    ],
    ids=lambda extra: next(iter(extra)),
)
def test_another_header_evades_nothing(user: User, extra: dict[str, str]) -> None:
    """28. Account and address count, and nothing else that a client can choose."""
    limit, window = PER_ACCOUNT_AND_ADDRESS
    guess_wrong(limit, user.get_username())
    assert_throttled(guess(user.get_username(), PASSWORD, **extra), window)


def test_a_form_is_no_way_around(client: APIClient, user: User) -> None:
    """28. Form bodies are not read, so no password in one is ever tried."""
    for format_ in ("multipart", None):
        kind = "application/x-www-form-urlencoded" if format_ is None else None
        body: Any = "password=x" if kind else credentials(user)
        response = client.post("/api/token/", body, format=format_, content_type=kind)
        assert response.status_code == 415


def test_addresses_of_one_ipv6_network_are_one_client(user: User) -> None:
    """28. A subscriber has 2**64 of them."""
    limit, window = PER_ACCOUNT_AND_ADDRESS
    for number in range(limit):
        guess_wrong(1, user.get_username(), address=f"2001:db8::{number:x}:1")
    throttled = guess(user.get_username(), PASSWORD, "2001:db8::ffff:1")
    assert_throttled(throttled, window)
    assert guess(user.get_username(), PASSWORD, "2001:db8:1::1").status_code == 200


def test_an_ipv4_address_written_as_ipv6_is_itself(user: User) -> None:
    """28. As a server on ``[::]`` sees it; the others there are other clients."""
    limit, window = PER_ACCOUNT_AND_ADDRESS
    guess_wrong(limit, user.get_username(), address="::ffff:192.0.2.1")
    assert_throttled(guess(user.get_username(), PASSWORD, "192.0.2.1"), window)
    assert guess(user.get_username(), PASSWORD, "::ffff:192.0.2.2").status_code == 200


def test_the_password_change_is_no_place_to_guess(
    client: APIClient, user: User, login: Login
) -> None:
    """28. Its failures are those of the login."""
    limit, window = PER_ACCOUNT_AND_ADDRESS
    access = authorization(login()["access"])
    for right in (*[False] * limit, True):
        response = client.post(
            "/api/users/me/password/",
            {
                "current_password": PASSWORD if right else "wrong",
                "new_password": "another Passphrase, 8",
            },
            format="json",
            headers=access,
            REMOTE_ADDR="192.0.2.1",
        )
        assert response.status_code == (429 if right else 400)
    assert_throttled(guess(user.get_username(), PASSWORD), window)


def test_two_logins_of_one_account_at_once_are_no_error(user: User) -> None:
    """28. A login that succeeds in between takes this attempt's entry away."""

    def forget(execute: Any, sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if sql.startswith("INSERT") and Failure._meta.db_table in sql:
            with connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM {Failure._meta.db_table}")
        return result

    with connection.execute_wrapper(forget):
        assert guess(user.get_username(), PASSWORD).status_code == 200


def test_a_counter_that_is_away_opens_no_door(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """28. Nobody gets in uncounted: 503 until the table can be written again."""
    away = Mock(side_effect=OperationalError)
    monkeypatch.setattr(Failure.objects, "bulk_create", away, raising=False)
    for password in (PASSWORD, "wrong"):
        response = guess(user.get_username(), password)
        assert response.status_code == 503
        assert response["Content-Type"] == "application/json"


def test_a_forged_forwarded_for_evades_nothing(user: User) -> None:
    """29. No proxy is trusted unless the settings say so."""
    limit, window = PER_ACCOUNT_AND_ADDRESS
    for number in range(limit):
        forged = {"HTTP_X_FORWARDED_FOR": f"203.0.113.{number}"}
        guess_wrong(1, user.get_username(), **forged)
    forged = {"HTTP_X_FORWARDED_FOR": "203.0.113.99"}
    assert_throttled(guess(user.get_username(), PASSWORD, **forged), window)


@pytest.mark.parametrize("proxies", [1, 2])
def test_only_what_trusted_proxies_wrote_is_believed(
    user: User, settings: Settings, proxies: int
) -> None:
    """29. They append; what the client sent stands before that and counts nothing."""
    settings.TRUSTED_PROXIES = proxies
    limit, window = PER_ACCOUNT_AND_ADDRESS
    appended = ", ".join(["198.51.100.1", "10.0.0.1"][:proxies])
    for number in range(limit):
        chain = f"203.0.113.{number}, {appended}"
        guess_wrong(1, user.get_username(), HTTP_X_FORWARDED_FOR=chain)
    chain = f"203.0.113.99, {appended}"
    throttled = guess(user.get_username(), PASSWORD, HTTP_X_FORWARDED_FOR=chain)
    assert_throttled(throttled, window)
    other = chain.replace("198.51.100.1", "198.51.100.2")
    honest = guess(user.get_username(), PASSWORD, HTTP_X_FORWARDED_FOR=other)
    assert honest.status_code == 200


def admin_login(name: str, password: str) -> Any:
    return Client(REMOTE_ADDR="192.0.2.1").post(
        "/admin/login/", {"username": name, "password": password}
    )


def test_the_admin_login_is_throttled(user: User) -> None:
    """30. By the same count as the API's."""
    limit, window = PER_ACCOUNT_AND_ADDRESS
    user.is_staff = True
    user.save()
    for number in range(limit):
        if number % 2:
            guess_wrong(1, user.get_username())
        else:
            assert admin_login(user.get_username(), "wrong").status_code == 200
    assert_throttled(admin_login(user.get_username(), PASSWORD), window)
    assert_throttled(guess(user.get_username(), PASSWORD), window)


@pytest.mark.django_db
def test_there_is_no_default_account() -> None:
    """30. A new database lets nobody in."""
    assert not User.objects.exists()


# What an answer gives away


def test_unknown_wrong_and_disabled_look_the_same(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """31. In status, body, headers, and in what takes time: statements and hashing."""
    disabled = UserFactory.create(is_active=False)
    hasher, hashed = type(get_hasher()), []
    encode = hasher.encode

    def counted(self: Any, *arguments: Any) -> str:
        hashed.append(1)
        return str(encode(self, *arguments))

    monkeypatch.setattr(hasher, "encode", counted)
    seen = set()
    for name, password in (
        ("nobody@example.com", PASSWORD),
        (user.get_username(), "wrong"),
        (disabled.get_username(), PASSWORD),
        (disabled.get_username(), "wrong"),
    ):
        hashed.clear()
        with CaptureQueriesContext(connection) as statements:
            response = guess(name, password)
        headers = {k: v for k, v in response.items() if "Request-ID" not in k}
        answer = (response.status_code, response.content, *headers.items())
        seen.add((answer, len(hashed), len(statements)))
    assert len(seen) == 1
    assert seen.pop()[0][0] == 401


@pytest.mark.parametrize("password", [" lead", "trail ", "   ", "\ttab\n", "a\0b", "é "])
def test_a_password_is_taken_as_typed(user: User, password: str) -> None:
    """32. Blanks are part of it."""
    user.set_password(password)
    user.save()
    assert guess(user.get_username(), password).status_code == 200
    for other in (password.strip(), f"{password} ", password.rstrip("\n ")):
        expected = 200 if other == password else 401
        assert guess(user.get_username(), other).status_code == expected


@pytest.mark.parametrize(
    ("hop", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("rubbish:80", ""),
    ],
)
def test_a_client_is_told_by_its_address_without_the_port(
    settings: Settings, hop: str, address: str
) -> None:
    """28. Some proxies write it, and everybody would be one client."""
    settings.TRUSTED_PROXIES = 1
    request = RequestFactory().get("/", headers={"X-Forwarded-For": f"192.0.2.1, {hop}"})
    assert client_address(request) == address
