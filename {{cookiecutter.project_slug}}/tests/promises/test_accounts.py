"""Promises 28 to 32: guessing passwords, what responses reveal, passwords as typed.

The limits are those of ``users/throttling.py``: change them there.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import get_hasher
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings
from rest_framework.test import APIClient

from api.addresses import client_address
from tests.conftest import Clock, each, new_client
from tests.factories import PASSWORD, UserFactory
from tokens.models import LoginSession
from users.models import Failure, User

LIMIT, WINDOW = 10, timedelta(minutes=15)  # of one account at one address
PER_ADDRESS = 50
HERE = "192.0.2.1"


def guess(name: str, password: str = "wrong", address: str = HERE, **extra: Any) -> Any:
    """Return the response to a login from an address."""
    body = {User.USERNAME_FIELD: name, "password": password}
    return new_client().post("/api/token/", body, REMOTE_ADDR=address, **extra)


def guess_wrong(times: int, *arguments: Any, **extra: Any) -> None:
    for _ in range(times):
        assert guess(*arguments, **extra).status_code == 401


def assert_throttled(response: Any, window: timedelta = WINDOW) -> None:
    assert response.status_code == 429
    assert response["Content-Type"] == "application/json"
    assert response.json().keys() == {"detail"}
    assert 0 < int(response["Retry-After"]) <= window.total_seconds()


@each(
    "limit, window, name, address",
    (LIMIT, WINDOW, "{}", HERE),
    (PER_ADDRESS, WINDOW, "nobody{n}@example.com", HERE),
    (100, timedelta(hours=1), "{}", "198.51.100.{n}"),
)
def test_28_limits_hold(user: User, limit: int, window: timedelta, name: str, address: str) -> None:
    """For an account and address, an address, an account. The right password is refused, too.

    Another account at another address is not affected.
    """
    own, other = user.get_username(), UserFactory.create().get_username()
    for n in range(limit):
        guess_wrong(1, name.format(own, n=n), address=address.format(n=n))
    assert_throttled(guess(name.format(own, n=limit), address=address.format(n=limit)), window)
    assert_throttled(guess(own, PASSWORD, address.format(n=limit)), window)
    assert guess(other, PASSWORD, "203.0.113.1").status_code == 200
    elsewhere = 429 if limit == 100 else 200
    assert guess(own, PASSWORD, "203.0.113.1").status_code == elsewhere


def test_28_a_refused_attempt_is_not_counted(user: User, clock: Clock) -> None:
    """After waiting as long as the response says, the user gets in, whatever others do."""
    guess_wrong(LIMIT, user.get_username())
    step = int(guess(user.get_username())["Retry-After"]) / (3 * LIMIT)
    for _ in range(3 * LIMIT):
        assert guess(user.get_username(), PASSWORD).status_code == 429
        clock.shift(step)
    assert guess(user.get_username(), PASSWORD).status_code == 200


def test_28_the_window_slides(user: User, clock: Clock) -> None:
    """There are never more guesses than the limit in a quarter of an hour."""
    guess_wrong(LIMIT - 1, user.get_username())
    clock.shift(WINDOW - timedelta(seconds=1))
    guess_wrong(1, user.get_username())
    clock.shift(2)
    guess_wrong(LIMIT - 1, user.get_username())
    assert guess(user.get_username()).status_code == 429


def test_28_a_login_forgets_the_failures_of_its_pair_only(user: User) -> None:
    """Logging in to an account of their own does not clear an attacker's address."""
    own = UserFactory.create().get_username()
    for number in range(PER_ADDRESS):
        assert number % 7 or guess(own, PASSWORD).status_code == 200
        guess_wrong(1, f"nobody{number}@example.com")
    assert_throttled(guess(own, PASSWORD))


def wide(name: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name)


@each("spell", str.upper, str.title, " {}".format, "{}\t\n ".format, wide)
def test_28_another_spelling_evades_nothing(user: User, spell: Callable[[str], str]) -> None:
    """Letter case, spaces, and characters that Unicode treats as the same do not matter."""
    names = user.get_username(), spell(user.get_username())
    for number in range(LIMIT):
        guess_wrong(1, names[number % 2])
    for name in names:
        assert_throttled(guess(name, PASSWORD))


@each(
    "header",
    *("User-Agent: another/2.0", "Cookie: sessionid=new; csrftoken=new", "Forwarded: for=::9"),
    *("Authorization: Basic YTpi", "X-Forwarded-For: 203.0.113.9", "X-Real-IP: 203.0.113.9"),
)
def test_28_another_header_evades_nothing(user: User, header: str) -> None:
    """Only account and address count, and nothing else that a client can choose."""
    guess_wrong(LIMIT, user.get_username())
    name, value = header.split(": ")
    assert_throttled(guess(user.get_username(), PASSWORD, headers={name: value}))


@each(
    "pattern, same, other",
    ("2001:db8::{}:1", "2001:db8::8000:0:0:1", "2001:db8:0:1::1"),
    ("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.2"),
)
def test_28_one_client_has_many_addresses(user: User, pattern: str, same: str, other: str) -> None:
    """A client is a whole IPv6 network, or an IPv4 address as ``[::]`` sees it."""
    for number in range(LIMIT):
        guess_wrong(1, user.get_username(), address=pattern.format(number))
    assert_throttled(guess(user.get_username(), PASSWORD, same))
    assert guess(user.get_username(), PASSWORD, other).status_code == 200


def test_28_the_password_change_is_no_place_to_guess(user_client: APIClient, user: User) -> None:
    """Its failures count as failed logins."""
    path, body = "/api/users/me/password/", {"new_password": "another Passphrase, 8"}
    for _ in range(LIMIT):
        wrong = user_client.post(path, body | {"current_password": "wrong"}, REMOTE_ADDR=HERE)
        assert wrong.status_code == 400
    right = user_client.post(path, body | {"current_password": PASSWORD}, REMOTE_ADDR=HERE)
    for throttled in (right, guess(user.get_username(), PASSWORD)):
        assert_throttled(throttled)


class Directory(BaseBackend):
    """A backend with its own passwords, such as LDAP."""

    asked = Mock()

    def authenticate(self, request: Any, password: str = "", **name: Any) -> Any:
        self.asked()
        return User.objects.first() if password == "in the directory" else None


@each("order", 1, -1)
def test_28_what_a_backend_accepts_is_no_guess(user: User, settings: Settings, order: int) -> None:
    """A refused attempt asks no backend, whatever their order."""
    backends = [f"{__name__}.Directory", "django.contrib.auth.backends.ModelBackend"]
    settings.AUTHENTICATION_BACKENDS = backends[::order]
    name = user.get_username()
    for _ in range(LIMIT + 1):
        assert guess(name, "in the directory").status_code == 200
    guess_wrong(LIMIT, name)
    Directory.asked.reset_mock()
    for password in ("in the directory", PASSWORD):
        assert_throttled(guess(name, password))
    assert not Directory.asked.called


def test_28_two_logins_of_one_account_at_once_are_no_error(user: User) -> None:
    """A login that succeeds in between deletes the row of this attempt."""

    def forget(execute: Any, sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if sql.startswith("INSERT") and Failure._meta.db_table in sql:
            Failure.objects.all().delete()
        return result

    with connection.execute_wrapper(forget):
        assert guess(user.get_username(), PASSWORD).status_code == 200


def test_28_without_its_counter_no_door_opens(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody gets in uncounted: the response is 503 until the table can be written again."""
    monkeypatch.setattr("users.throttling.InsertQuery", Mock(side_effect=OperationalError))
    for response in (guess(user.get_username(), PASSWORD), guess(user.get_username())):
        assert response.status_code == 503
        assert response.json().keys() == {"detail"}


@each("proxies", 0, 1, 2)
def test_29_only_trusted_proxies_are_believed(user: User, settings: Settings, proxies: int) -> None:
    """Proxies append to what the client sent. By default, none is trusted."""
    assert settings.TRUSTED_PROXIES == 0
    settings.TRUSTED_PROXIES = proxies

    def chain(forged: object, client: str = "198.51.100.1") -> dict[str, str]:
        hops = [f"203.0.113.{forged}", *[client, "10.0.0.1"][:proxies]]
        return {"HTTP_X_FORWARDED_FOR": ", ".join(hops)}

    for number in range(LIMIT):
        guess_wrong(1, user.get_username(), **chain(number))
    assert_throttled(guess(user.get_username(), PASSWORD, **chain(99)))
    honest = guess(user.get_username(), PASSWORD, **chain(99, "198.51.100.2"))
    assert honest.status_code == (200 if proxies else 429)


@each(
    "hop, address",
    *(("203.0.113.9", "203.0.113.9"), ("203.0.113.9:4711", "203.0.113.9")),
    *(("2001:db8::1", "2001:db8::1"), ("[2001:db8::1]:443", "2001:db8::1")),
    *(("[2001:db8::1]", "2001:db8::1"), ("rubbish:80", "")),
)
def test_29_an_address_is_read_without_its_port(settings: Settings, hop: str, address: str) -> None:
    """Some proxies add it. If it stayed, all clients would count as one."""
    settings.TRUSTED_PROXIES = 1
    request = RequestFactory().get("/", headers={"X-Forwarded-For": f"192.0.2.1, {hop}"})
    assert client_address(request) == address


def test_30_the_admin_login_is_throttled(user: User) -> None:
    """Its failures count together with the API's."""

    def sign_in(password: str) -> Any:
        form = {"username": user.get_username(), "password": password}
        return Client(REMOTE_ADDR=HERE).post(reverse("admin:login"), form)

    User.objects.update(is_staff=True)
    assert sign_in(PASSWORD).status_code == 302
    for _ in range(LIMIT // 2):
        guess_wrong(1, user.get_username())
        assert sign_in("wrong").status_code == 200
    for throttled in (sign_in(PASSWORD), guess(user.get_username(), PASSWORD)):
        assert_throttled(throttled)


@pytest.mark.django_db
def test_30_there_is_no_default_account() -> None:
    """Nobody can log in to a new database."""
    assert not User.objects.exists()


def test_31_unknown_wrong_disabled_look_alike(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status, body and headers are the same, and so is what takes time: SQL and hashing."""
    hasher = type(get_hasher())
    encode = Mock(side_effect=hasher.encode, autospec=True)
    monkeypatch.setattr(hasher, "encode", lambda *arguments: encode(*arguments))
    disabled = UserFactory.create(is_active=False)
    answers = set()
    for name, password in (
        *(("nobody@example.com", PASSWORD), ("", ""), (user.get_username(), "wrong")),
        *((disabled.get_username(), PASSWORD), (disabled.get_username(), "wrong")),
    ):
        encode.reset_mock()
        with CaptureQueriesContext(connection) as statements:
            response = guess(name, password)
        headers = {k: v for k, v in response.items() if k != "X-Request-ID"}
        answer = (response.status_code, response.content, *headers.items())
        answers.add((answer, encode.call_count, len(statements)))
    [(answer, hashed, _)] = answers
    assert answer[0] == 401
    assert hashed
    assert not LoginSession.objects.exists()


@each("password", " lead", "trail ", "   ", "\ttab\n", "a\0b", "é ")
def test_32_a_password_is_taken_as_typed(user: User, password: str) -> None:
    """Spaces are part of it."""
    user.set_password(password)
    user.save()
    for typed in (password, password.strip(), f"{password} ", password.rstrip("\n ")):
        expected = 200 if typed == password else 401
        assert guess(user.get_username(), typed).status_code == expected
