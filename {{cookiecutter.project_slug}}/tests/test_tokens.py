"""Tokens that an owner's code makes, and how large they get."""

from datetime import timedelta

import pytest
from django.conf import settings
from pytest_django import Settings

from tests.conftest import opens, payload
from tokens import tokens
from tokens.tokens import AccessToken, RefreshToken
from users.models import User


def test_an_access_token_alone_cannot_be_made(user: User) -> None:
    with pytest.raises(TypeError, match="RefreshToken"):
        AccessToken.for_user(user)


def test_a_service_may_have_a_longer_session_than_people(user: User) -> None:
    long = settings.SESSION_LIFETIME * 3
    access = RefreshToken.for_user(user, lifetime=long).access_token
    access.set_exp(lifetime=long - timedelta(hours=1))
    assert opens(str(access))
    said = payload(str(access))
    assert timedelta(seconds=said["exp"] - said["iat"]) == long - timedelta(hours=1)


def test_a_large_token_is_logged_once_with_the_sizes_of_its_claims(
    user: User,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.EXTRA_CLAIMS_IN_TOKEN = True
    monkeypatch.setattr(AccessToken, "size_is_logged", False)
    monkeypatch.setattr(tokens, "claims_for", lambda user: {"note": "x" * 5000})
    for _ in range(2):
        str(RefreshToken.for_user(user).access_token)
    [record] = caplog.records
    assert "'note': 5000" in record.getMessage()
