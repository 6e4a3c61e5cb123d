"""Promises 13 to 19: what the claims of a token may be, and for how long."""

import hashlib
import json
import math
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings as current
from pytest_django import Settings

from tests.conftest import Clock, Login, each, is_alive, payload, refresh, refreshed, verify
from tests.factories import PASSWORD, UserFactory
from tests.forge import ABSENT, ACCEPTED, REFUSED, SIMPLE_JWT, answers, forge, header_of
from tokens.keys import LAST_TIME
from tokens.models import LoginSession
from users.models import User

NO_TIMES: list[object] = [
    *(None, "tomorrow", "9999999999", True, 9999999999.5, -1, [9999999999], {}),
    *(math.nan, math.inf, 10**30, 2**63, 10**400, LAST_TIME),
]


@each("value", ABSENT, 0, *NO_TIMES)
def test_13_an_expiry_that_is_no_time_to_come_is_refused(genuine: str, value: object) -> None:
    """Its type and size do not matter."""
    assert answers(forge(genuine, exp=value)) == REFUSED


def test_13_a_token_ends_with_the_second_that_it_names(genuine: str, clock: Clock) -> None:
    """There is no leeway."""
    clock.move_to(payload(genuine)["exp"] - 1)
    assert verify(genuine).status_code == 200
    clock.shift(1)
    assert answers(genuine) == REFUSED


@each("name", "nbf", "iat")
def test_14_a_token_from_the_future_is_refused(genuine: str, name: str) -> None:
    """The clocks of two machines may differ by a minute."""
    now = int(time.time())
    assert answers(forge(genuine, **{name: now + 61})) == REFUSED
    ahead = forge(genuine, **{name: now + 60})
    assert answers(ahead) == ACCEPTED[payload(genuine)["token_type"]]


@each("value", *NO_TIMES)
@each("name", "nbf", "iat")
def test_14_other_times_of_odd_types_are_refused(genuine: str, name: str, value: object) -> None:
    """The response is 401 and never 5xx."""
    assert answers(forge(genuine, **{name: value})) == REFUSED


@each("value", ABSENT, None, True, 1, 1.5, [], {"pk": 1}, "", " ", "1" * 10_000, "1\0", "\ud800")
@each("name", "sub", "sid", "jti")
def test_15_a_claim_of_the_wrong_type_is_refused(genuine: str, name: str, value: object) -> None:
    """So is a token without its id, subject or session."""
    assert answers(forge(genuine, **{name: value})) == REFUSED


@each("form", "{}.0", "{}.5", "0{}", "+{}", " {}", "{} ", "{}\n", "{}\0", "{}_0", "{}e0", "0x{}")
def test_15_a_look_alike_of_a_primary_key_is_nobody(genuine: str, user: User, form: str) -> None:
    """The subject is the primary key, which can be spelled in one way only."""
    assert answers(forge(genuine, sub=form.format(user.pk))) == REFUSED


def test_15_the_digits_of_another_width_are_nobody(genuine: str, user: User) -> None:
    wide = str(user.pk).translate({letter: letter + 0xFEE0 for letter in range(33, 127)})
    assert answers(forge(genuine, sub=wide)) == REFUSED


def test_15_a_session_belongs_to_its_user_only(genuine: str, login: Login) -> None:
    """``sub`` and ``sid`` must belong together."""
    other = UserFactory.create()
    for claims in (
        *({"sub": str(other.pk)}, {"sub": "1000000000000"}, {"sub": "nobody"}),
        *({"sid": payload(login(other)["access"])["sid"]}, {"sid": payload(genuine)["jti"]}),
    ):
        assert answers(forge(genuine, **claims)) == REFUSED


@each("spell", str.upper, "urn:uuid:{}".format, "0{}".format, "{}0".format, lambda s: "{" + s + "}")
def test_15_a_look_alike_of_a_session_is_none(genuine: str, spell: Callable[[str], str]) -> None:
    """The id of the session can be spelled in one way only."""
    assert answers(forge(genuine, sid=spell(payload(genuine)["sid"]))) == REFUSED


@each("value", ABSENT, None, True, False, "0", "", 0.0, 1.5, -1, 1, 2**31, 10**30, math.nan, [], {})
def test_15_a_sequence_number_that_was_never_issued_is_refused(login: Login, value: object) -> None:
    """The response is 401, and the session stays live."""
    pair = login()
    assert answers(forge(pair["refresh"], seq=value)) == REFUSED
    assert is_alive(pair)


@each("value", ABSENT, None, True, 1, [], {}, "", "sliding", "ACCESS", "Refresh", "id")
def test_16_a_token_of_no_known_type_is_refused(genuine: str, value: object) -> None:
    """There are two types, with one spelling each."""
    assert answers(forge(genuine, token_type=value)) == REFUSED


def test_16_token_types_never_swap(genuine: str) -> None:
    """A refresh token gives no access, and an access token cannot refresh."""
    assert answers(genuine) == ACCEPTED[payload(genuine)["token_type"]]


@each("name, setting", ("iss", "ISSUER"), ("aud", "AUDIENCE"))
def test_17_issuer_and_audience_are_checked_exactly(genuine: str, name: str, setting: str) -> None:
    """Another one, none, a list that contains ours, another spelling: all are refused."""
    own = SIMPLE_JWT[setting]
    assert payload(genuine)[name] == own
    for value in (
        *("somebody else", f"{own}/", f" {own}", f"x{own}", f"{own}\n", "", None, 1, True, ABSENT),
        *([own], [own, "x"], {own: 1}),
    ):
        assert answers(forge(genuine, **{name: value})) == REFUSED, value


OWN = {"token_type", "iss", "aud", "sub", "exp", "iat", "jti", "sid"}


def test_18_a_token_says_what_it_needs_and_nothing_secret(login: Login, user: User) -> None:
    """The refresh token has no personal data; neither has a secret."""
    pair, other = login(), login()
    access, refresh = payload(pair["access"]), payload(pair["refresh"])
    assert refresh.keys() == OWN | {"seq"}
    assert access.keys() >= OWN
    session = LoginSession.objects.get(pk=access["sid"])
    assert (session.user, access["sub"]) == (user, str(user.pk))
    assert refresh["sub"] == access["sub"]
    assert header_of(pair["access"])["typ"] == header_of(pair["refresh"])["typ"] == "JWT"
    others = payload(other["access"]), payload(other["refresh"])
    assert len({claims["jti"] for claims in (access, refresh, *others)}) == 4
    user.refresh_from_db()
    fingerprints = [hashlib.new(f, user.password.encode()).hexdigest() for f in ("md5", "sha256")]
    secrets = [PASSWORD, user.password, current.SECRET_KEY, current.JWT_SIGNING_KEY]
    for secret in (*secrets, *fingerprints):
        assert secret not in json.dumps([access, refresh, pair])
    assert user.get_username() not in json.dumps(refresh)


def test_18_extra_claims_overwrite_nothing(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """This holds for whatever you write into ``claims_for``."""
    extra = dict.fromkeys([*OWN, "access", "refresh"], "overwritten")
    monkeypatch.setattr("tokens.tokens.claims_for", lambda user: extra)
    pair = login()
    claims = payload(pair["access"])
    assert all(claims[name] != "overwritten" for name in OWN)
    assert is_alive(pair)
    assert is_alive(refreshed(pair))


def test_19_no_refresh_goes_beyond_the_absolute_end_of_the_session(
    login: Login, settings: Settings, clock: Clock
) -> None:
    """However often it is refreshed, a login ends at the time that was set when it began."""
    lifetime: timedelta = SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"]
    settings.SESSION_LIFETIME = 2 * lifetime
    end = int(time.time() + settings.SESSION_LIFETIME.total_seconds())
    pair = login()
    for _ in range(3):
        clock.shift(lifetime / 2)
        pair = refreshed(pair)
        assert payload(pair["access"])["exp"] <= payload(pair["refresh"])["exp"] <= end
    clock.move_to(end - 1)
    pair = refreshed(pair)
    assert payload(pair["access"])["exp"] == payload(pair["refresh"])["exp"] == end
    clock.shift(1)
    assert not is_alive(pair)
    assert refresh(pair["refresh"]).status_code == 401
