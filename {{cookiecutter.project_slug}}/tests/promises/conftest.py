"""What the tests here share: genuine tokens of both kinds, and a grace period."""

from datetime import timedelta

import pytest
from pytest_django import Settings

from tests.conftest import Login


@pytest.fixture(params=["access", "refresh"])
def genuine(request: pytest.FixtureRequest, login: Login) -> str:
    """Return a token as it was issued, once an access token and once a refresh token."""
    return str(login()[request.param])


@pytest.fixture
def grace(settings: Settings) -> timedelta:
    """Return the grace period, which is longer than any test takes."""
    settings.REFRESH_GRACE_PERIOD = grace = timedelta(minutes=1)
    return grace


@pytest.fixture
def no_grace(settings: Settings) -> None:
    settings.REFRESH_GRACE_PERIOD = timedelta(0)
