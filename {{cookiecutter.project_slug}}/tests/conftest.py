"""What the tests share: users, clients, a login over HTTP, and a clock at rest."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any

import jwt
import pytest
import time_machine
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient
from rest_framework_simplejwt.settings import api_settings

from tests.factories import PASSWORD, UserFactory
from tokens.algorithms import generate_key
from tokens.keys import token_backend
from tokens.models import LoginSession
from users.models import User

HEADER_TYPE: str = api_settings.AUTH_HEADER_TYPES[0]

Login = Callable[..., dict[str, Any]]
UseKeys = Callable[..., None]

# What a client sends in place of a string.
NO_STRINGS: list[Any] = [None, 3, True, ["a"], {"a": "b"}]


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Time stands still in every test: ``clock.shift(60)`` moves it by a minute.

    So a token of one second lives as long as its test needs it.
    """
    with time_machine.travel(int(time.time()), tick=False) as clock:
        yield clock


@pytest.fixture
def user(db: None) -> User:
    user: User = UserFactory.create()
    return user


@pytest.fixture
def client() -> APIClient:
    """A client of the API that is not logged in and speaks JSON."""
    client = APIClient()
    client.default_format = "json"
    client.raise_request_exception = False  # an error is answered, as by a server
    return client


def credentials(user: User, password: str = PASSWORD) -> dict[str, str]:
    """The body of a login."""
    return {User.USERNAME_FIELD: user.get_username(), "password": password}


def authorization(access: str, header_type: str = HEADER_TYPE) -> dict[str, str]:
    """The header of a request with an access token."""
    return {"Authorization": f"{header_type} {access}"}


@pytest.fixture
def login(client: APIClient, user: User) -> Login:
    """Logs in over HTTP and returns the answer: ``login()``, ``login(other_user)``."""

    def login(who: User = user) -> dict[str, Any]:
        response = client.post("/api/token/", credentials(who), format="json")
        assert response.status_code == 200, response.content
        return dict(response.json())

    return login


def refresh(client: APIClient, token: str) -> Any:
    return client.post("/api/token/refresh/", {"refresh": token}, format="json")


def last_refresh_was(ago: timedelta) -> None:
    """Lets the last refresh of all sessions be so long ago.

    The grace period is measured by the database's clock, which no test can move.
    """
    LoginSession.objects.update(rotated=Now() - ago)


def opens(client: APIClient, access: str) -> bool:
    """Whether the API opens to an access token; if not, the answer has to be 401."""
    response = client.get("/api/users/me/", headers=authorization(access))
    assert response.status_code in (200, 401), response.content
    return response.status_code == 200


def payload(token: str) -> dict[str, Any]:
    """What a token says, unverified."""
    return dict(jwt.decode(token, options={"verify_signature": False}))


def key_for(algorithm: str, name: str = "first") -> str:
    """A signing key, made once a run. RSA keys take their time, so that all RS and PS
    algorithms share one."""
    return _key_for("RS256" if algorithm[:2] in ("RS", "PS") else algorithm, name)


@cache
def _key_for(algorithm: str, name: str) -> str:
    return generate_key(algorithm)


@pytest.fixture
def use_keys(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[UseKeys]:
    """Switches to other keys, or to another algorithm, as a restart would."""

    def use_keys(
        signing: str, verifying: str = "", algorithm: str = api_settings.ALGORITHM
    ) -> None:
        settings.JWT_SIGNING_KEY = signing
        settings.JWT_VERIFYING_KEYS = verifying
        monkeypatch.setattr(api_settings, "ALGORITHM", algorithm)
        token_backend.cache_clear()

    yield use_keys
    token_backend.cache_clear()


# Statements that no promise counts: transaction control, throttling, last login.
UNCOUNTED = re.compile(
    r'^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)|"users_failure"|SET "last_login"'
)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The SQL statements of the block, known after it."""
    counted: list[str] = []
    with CaptureQueriesContext(connection) as queries:
        yield counted
    counted += [q["sql"] for q in queries if not UNCOUNTED.search(q["sql"])]
