"""System checks: a wrong setting stops the start, in one line that names it."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings
from rest_framework_simplejwt.settings import api_settings

from tests.conftest import UseKeys, each, key_for
from tokens.checks import refuse_to_start_if_wrong
from tokens.serializers import CustomTokenObtainPairSerializer


def only_error(number: int) -> str:
    """The message of the one error there is, which goes with a cure."""
    [error] = run_checks()
    assert error.hint
    assert error.id == f"tokens.E{number:03}"
    return str(error.msg)


def test_the_project_as_it_stands_is_right() -> None:
    assert run_checks() == []
    refuse_to_start_if_wrong()


@each("algorithm", "HS512", "PS256", "ES384", "EdDSA")
def test_a_generated_key_is_right(use_keys: UseKeys, algorithm: str) -> None:
    use_keys(key_for(algorithm), key_for(algorithm, "second"), algorithm)
    assert run_checks() == []


def test_a_key_that_does_not_verify_what_it_signs_is_an_error(
    use_keys: UseKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_keys(key_for("ES256"), algorithm="ES256")
    monkeypatch.setattr("jwt.algorithms.ECAlgorithm.verify", lambda *args: False)
    assert only_error(7)


@each(
    "name, value, number",
    *(("ALGORITHM", "RS265", 5), ("ALGORITHM", "none", 5), ("AUDIENCE", ["a", "b"], 3)),
    *(("ISSUER", "", 3), ("ISSUER", None, 3), ("AUTH_HEADER_TYPES", "Bearer", 4)),
    *(("AUTH_HEADER_TYPES", (), 4), ("AUTH_HEADER_TYPES", ("Bea rer",), 4)),
)
def test_a_value_that_cannot_work_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object, number: int
) -> None:
    monkeypatch.setattr(api_settings, name, value)
    assert name in only_error(number)


SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@each(
    "access, lifetimes",
    *((DAY, (DAY, DAY, SECOND)), (DAY, (SECOND, DAY, SECOND))),
    *((SECOND, (DAY, SECOND, SECOND)), (SECOND, (DAY, DAY, -SECOND))),
    *((0 * SECOND, (DAY, DAY, SECOND)), (-SECOND, (DAY, DAY, SECOND))),
    *((300, (DAY, DAY, SECOND)), (SECOND, (DAY, None, SECOND)), (SECOND, (DAY, DAY, 10))),
)
def test_lifetimes_have_to_go_together(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, access: object, lifetimes: tuple[Any, ...]
) -> None:
    monkeypatch.setattr(api_settings, "ACCESS_TOKEN_LIFETIME", access)
    monkeypatch.setattr(api_settings, "REFRESH_TOKEN_LIFETIME", lifetimes[0])
    _, settings.SESSION_LIFETIME, settings.REFRESH_GRACE_PERIOD = lifetimes
    assert "lifetimes" in only_error(2)


def test_a_session_may_last_one_refresh_and_allow_no_grace(settings: Settings) -> None:
    settings.SESSION_LIFETIME = api_settings.REFRESH_TOKEN_LIFETIME
    settings.REFRESH_GRACE_PERIOD = timedelta(0)
    assert run_checks() == []


@each("name", "SESSION_LIFETIME", "REFRESH_GRACE_PERIOD")
def test_a_lifetime_cannot_be_left_out(settings: Settings, name: str) -> None:
    delattr(settings, name)
    assert "lifetimes" in only_error(2)


@each(
    "name, cure",
    ("ACCES_TOKEN_LIFETIME", "Did you mean ACCESS_TOKEN_LIFETIME?"),
    ("QQQ", "Remove it."),
)
def test_an_unknown_setting_is_an_error(settings: Settings, name: str, cure: str) -> None:
    settings.SIMPLE_JWT = {**settings.SIMPLE_JWT, name: DAY}
    assert name in only_error(1)
    assert run_checks()[0].hint == cure


@each("name", "LEEWAY", "SIGNING_KEY", "JWK_URL", "ROTATE_REFRESH_TOKENS", "USER_ID_CLAIM")
def test_a_setting_without_effect_is_an_error(settings: Settings, name: str) -> None:
    settings.SIMPLE_JWT = {**settings.SIMPLE_JWT, name: "user_id"}
    assert name in only_error(9)


def test_an_overridden_get_token_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    get_token = classmethod(lambda cls, user: None)
    monkeypatch.setattr(CustomTokenObtainPairSerializer, "get_token", get_token, raising=False)
    assert "get_token" in only_error(10)
    assert "tokens/claims.py" in str(run_checks()[0].hint)


def test_an_error_stops_manage_py(use_keys: UseKeys) -> None:
    use_keys("")
    with pytest.raises(SystemCheckError):
        call_command("check")


def test_errors_stop_the_server_in_one_line_each(use_keys: UseKeys, settings: Settings) -> None:
    use_keys("")
    settings.SESSION_LIFETIME = timedelta(0)
    with pytest.raises(SystemExit) as exit:
        refuse_to_start_if_wrong()
    lifetimes, key = str(exit.value).splitlines()
    assert lifetimes.startswith("The lifetimes")
    assert key.startswith("JWT_SIGNING_KEY")
