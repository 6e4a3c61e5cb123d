"""What the tests share: users, clients, tokens, and a clock that does not run.

Tests of the API use ``user_client``, which ``user`` is logged in on, or ``client``, which
nobody is. ``login`` makes pairs of tokens over HTTP, ``token`` and ``expired_token`` are
access tokens of ``user``, and ``clock`` moves the time.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from io import StringIO
from typing import Any

import jwt
import pytest
import time_machine
from django.core.management import call_command
from django.core.signals import request_finished
from django.db import connection
from django.dispatch import receiver
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.renderers import JSONRenderer
from rest_framework.test import APIClient
from rest_framework_simplejwt.settings import api_settings

from tests.factories import PASSWORD, UserFactory
from tokens.algorithms import generate_key
from tokens.models import LoginSession, Now
from tokens.tokens import RefreshToken
from users.models import User

HEADER_TYPE: str = api_settings.AUTH_HEADER_TYPES[0]

Clock = time_machine.Traveller
Pair = dict[str, Any]
Login = Callable[..., Pair]
UseKeys = Callable[..., None]


def each(names: str, *values: Any) -> pytest.MarkDecorator:
    """Run a test with each of the values: ``each("a", 1, 2)``, ``each("a, b", (1, 2))``."""
    return pytest.mark.parametrize(names, values, ids=shown)


def shown(value: object) -> str:
    """Return a value for the name of a test, the same in every process."""
    return str(getattr(value, "__name__", ascii(value)))[:20]


@pytest.fixture(autouse=True)
def clock() -> Iterator[Clock]:
    """Stop the time in every test; ``clock.shift(60)`` moves it by a minute.

    So a token that lasts one second lasts as long as the test needs it.
    """
    with time_machine.travel(int(time.time()), tick=False) as clock:
        yield clock


@pytest.fixture
def user(db: None) -> User:
    user: User = UserFactory.create()
    return user


@receiver(request_finished)
def keep_the_transaction(**kwargs: Any) -> None:
    """Keep the transaction of a test open after a response that is an error.

    With ``ATOMIC_REQUESTS`` REST framework takes it for the request's and rolls it back.
    """
    connection.needs_rollback = False


class EscapedJSONRenderer(JSONRenderer):
    """JSON in ASCII, which can hold what UTF-8 cannot: lone surrogates."""

    ensure_ascii = True


def new_client() -> APIClient:
    client = APIClient(raise_request_exception=False)  # errors become responses, as on a server
    client.default_format = "json"
    client.renderer_classes["json"] = EscapedJSONRenderer
    return client


@pytest.fixture
def client(db: None) -> APIClient:
    """Return a client of the API that sends JSON and is not logged in."""
    return new_client()


def logged_in(access: str) -> APIClient:
    """Return a client that sends this access token."""
    client = new_client()
    client.credentials(HTTP_AUTHORIZATION=authorization(access)["Authorization"])
    return client


@pytest.fixture
def user_client(token: str) -> APIClient:
    """Return a client of the API that ``user`` is logged in on."""
    return logged_in(token)


@pytest.fixture
def token(login: Login) -> str:
    """Return an access token of ``user``."""
    return str(login()["access"])


@pytest.fixture
def expired_token(user: User) -> str:
    """Return an expired access token of ``user``, whose session is still live."""
    access = RefreshToken.for_user(user).access_token
    access.set_exp(lifetime=timedelta(0))
    return str(access)


def credentials(user: User, password: str = PASSWORD) -> dict[str, str]:
    """Return the body of a login."""
    return {User.USERNAME_FIELD: user.get_username(), "password": password}


def authorization(access: str, header_type: str = HEADER_TYPE) -> dict[str, str]:
    """Return the header of a request with an access token."""
    return {"Authorization": f"{header_type} {access}"}


@pytest.fixture
def login(user: User) -> Login:
    """Log in over HTTP and return the response: ``login()``, ``login(other_user)``."""

    def login(who: User = user) -> Pair:
        response = new_client().post("/api/token/", credentials(who))
        assert response.status_code == 200, response.content
        return dict(response.json())

    return login


def refresh(token: str) -> Any:
    return new_client().post("/api/token/refresh/", {"refresh": token})


def verify(token: str) -> Any:
    return new_client().post("/api/token/verify/", {"token": token})


def logout(token: str) -> Any:
    return new_client().post("/api/token/blacklist/", {"refresh": token})


def refreshed(pair: Pair) -> Pair:
    """Return the next pair."""
    response = refresh(pair["refresh"])
    assert response.status_code == 200, response.content
    return dict(response.json())


def is_alive(pair: Pair) -> bool:
    """Return whether a session is live: all of its tokens must be good, or none."""
    statuses = {verify(pair[kind]).status_code for kind in ("access", "refresh")}
    statuses.add(200 if opens(pair["access"]) else 401)
    assert statuses in ({200}, {401})
    return statuses == {200}


def last_refresh_was(ago: timedelta) -> None:
    """Move the last refresh of all sessions to so long ago.

    The grace period is measured by the database's clock, which no test can move.
    """
    LoginSession.objects.update(rotated=Now() - ago)


def opens(access: str) -> bool:
    """Return whether the API accepts an access token; if not, the response must be 401."""
    response = logged_in(access).get("/api/users/me/")
    assert response.status_code in (200, 401), response.content
    return bool(response.status_code == 200)


def payload(token: str) -> dict[str, Any]:
    """Return the payload of a token, unverified."""
    return dict(jwt.decode(token, options={"verify_signature": False}))


def key_for(algorithm: str, name: str = "first") -> str:
    """Return a signing key, made once a run. RSA keys are slow to make, and fit six algorithms."""
    return _key_for("RS256" if algorithm[:2] in ("RS", "PS") else algorithm, name)


@cache
def _key_for(algorithm: str, name: str) -> str:
    return generate_key(algorithm)


@pytest.fixture
def use_keys(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> UseKeys:
    """Switch to other keys, or to another algorithm, as a restart would."""

    def use_keys(signing: str, verifying: str = "", algorithm: str = "") -> None:
        settings.JWT_SIGNING_KEY, settings.JWT_VERIFYING_KEYS = signing, verifying
        new = algorithm or settings.SIMPLE_JWT["ALGORITHM"]
        monkeypatch.setattr(api_settings, "ALGORITHM", new)

    return use_keys


# Statements that the tests do not count: transactions, throttling, and the last login.
UNCOUNTED = re.compile(r'^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)|"users_failure"|"last_login" =')


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the SQL statements of the block, for after it."""
    counted: list[str] = []
    with CaptureQueriesContext(connection) as queries:
        yield counted
    counted += [q["sql"] for q in queries if not UNCOUNTED.search(q["sql"])]


def run(*command: str) -> tuple[str, str]:
    """Return what a management command writes to standard output and to standard error."""
    output, notes = StringIO(), StringIO()
    call_command(*command, stdout=output, stderr=notes)
    return output.getvalue(), notes.getvalue()
