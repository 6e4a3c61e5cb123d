"""Keys of every algorithm and in every form, and the checks of keys and settings."""

import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from pytest_django import Settings
from rest_framework_simplejwt.settings import api_settings

from tests.conftest import Login, UseKeys, each, is_alive, key_for, payload, refreshed, run
from tests.forge import header_of, pem, public_pem
from tests.production import python
from tokens.algorithms import ALGORITHMS, read_keys
from tokens.checks import refuse_to_start_if_wrong
from tokens.keys import KeyRing, key_ring, thumbprint, token_backend
from tokens.serializers import CustomTokenObtainPairSerializer


@each("algorithm", *ALGORITHMS)
def test_every_algorithm_serves_every_path(login: Login, use_keys: UseKeys, algorithm: str) -> None:
    """Tokens of another algorithm are refused."""
    before = login()
    use_keys(key_for(algorithm), algorithm=algorithm)
    pair = refreshed(login())
    assert is_alive(pair)
    assert not is_alive(before)
    assert run_checks() == []
    assert header_of(pair["access"])["alg"] == header_of(pair["refresh"])["alg"] == algorithm


def test_a_thumbprint_is_that_of_rfc_7638() -> None:
    """The example is from RFC 8037, appendix A.3."""
    key = {"x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kty": "OKP", "crv": "Ed25519"}
    assert thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@each("algorithm", "RS256", "ES384", "EdDSA")
def test_keys_are_read_in_every_form(algorithm: str) -> None:
    """They may be lines of base64 and PEM with real or escaped line ends, mixed."""
    [key, second] = [read_keys(algorithm, key_for(algorithm, n))[0] for n in ("first", "second")]
    public, private = public_pem(second), key_for(algorithm)
    escaped = public.replace("\n", "\\n")
    ring = KeyRing(algorithm, private, f"\n{public}{private}\n{escaped}")
    assert [key.signing is None for key in ring.keys] == [False, True, False, True]
    assert ring.keys[0].kid == ring.keys[2].kid != ring.keys[1].kid == ring.keys[3].kid
    if algorithm != "EdDSA":
        parameters = "-----BEGIN EC PARAMETERS-----\nBg==\n-----END EC PARAMETERS-----\n"
        legacy = parameters + pem(key, PrivateFormat.TraditionalOpenSSL)
        assert KeyRing(algorithm, legacy, "").signing.kid == ring.signing.kid


def test_secrets_are_read_line_by_line() -> None:
    """Their tokens name no key, so every key is tried."""
    first, second, third = (key_for("HS256", name) for name in ("1", "2", "3"))
    ring = KeyRing("HS256", f" {first}\n", f"{second}\r\n\n{third}\n")
    assert [key.verifying.decode() for key in ring.keys] == [first, second, third]
    assert {key.kid for key in ring.keys} == {None}
    assert ring.candidates({}) == ring.keys
    assert ring.candidates({"kid": None}) == ring.candidates({"kid": "1"}) == []


def test_dates_and_uuids_are_signed_as_text() -> None:
    values = {"since": date(2026, 2, 3), "tenant": UUID(int=1)}
    claims = payload(token_backend().encode(values))
    assert claims.items() >= {name: str(value) for name, value in values.items()}.items()


def test_keys_are_parsed_once() -> None:
    assert key_ring() is key_ring()


# System checks: a wrong setting prevents the start, with one line that names it


def only_error(number: int) -> str:
    """Return the message of the only error, which has a hint."""
    [error] = run_checks()
    assert error.hint
    assert error.id == f"tokens.E{number:03}"
    return str(error.msg)


def test_the_project_as_it_stands_is_right() -> None:
    assert run_checks() == []
    refuse_to_start_if_wrong()


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


# manage.py generate_signing_key


@each("algorithm", "HS512", "RS384", "ES512", "EdDSA")
def test_a_generated_key_is_one_line_for_an_environment_file(algorithm: str) -> None:
    [line] = run("generate_signing_key", "--algorithm", algorithm)[0].splitlines()
    [key] = re.findall(r"^JWT_SIGNING_KEY=([^\s'\"\\$]+)$", line)
    assert KeyRing(algorithm, key, "").signing.signing


def test_a_key_is_made_for_known_algorithms_only() -> None:
    with pytest.raises(CommandError, match="HS265"):
        run("generate_signing_key", "--algorithm", "HS265")


def test_the_steps_of_a_rotation_come_with_the_key() -> None:
    """Before there is a key, and when ALGORITHM has changed, under production settings."""
    other = "ES384" if api_settings.ALGORITHM.startswith("HS") else "HS256"
    command = ("manage.py", "generate_signing_key", "--algorithm")
    first = python(*command, api_settings.ALGORITHM, JWT_SIGNING_KEY="", DJANGO_SECRET_KEY="")
    assert re.fullmatch(r"JWT_SIGNING_KEY=[\w+/=-]+\n", first.stdout)
    assert first.stderr.count("JWT_VERIFYING_KEYS") == 2
    assert str(api_settings.REFRESH_TOKEN_LIFETIME) in first.stderr
    changed = python(*command, other)
    assert "JWT_VERIFYING_KEYS" not in changed.stderr
    assert "logged out" in changed.stderr
