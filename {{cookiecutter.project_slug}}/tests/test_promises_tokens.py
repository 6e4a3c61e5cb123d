"""Promises about tokens: signature and algorithm, keys, claims.

Each docstring begins with the number of the promise. Everything here holds for every
algorithm and every lifetime: change them, and run this.
"""

import base64
import hashlib
import hmac
import json
import math
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import settings
from django.core.checks import run_checks
from jwt.algorithms import get_default_algorithms
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.conftest import Login, payload, refresh
from tests.factories import PASSWORD, UserFactory
from tests.forge import (
    ABSENT,
    ALGORITHM,
    REFUSED,
    SIMPLE_JWT,
    SUBJECT,
    answers,
    foreign_key,
    forge,
    header_of,
    segment,
    sign,
)
from tests.production import python
from tokens.algorithms import ALGORITHMS, generate_key
from users.models import User

ASYMMETRIC = not ALGORITHM.startswith("HS")
KINDS = pytest.mark.parametrize("kind", ["access", "refresh"])


# Signature and algorithm


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", None, ABSENT])
@KINDS
def test_an_unsigned_token_is_refused(
    client: APIClient, login: Login, kind: str, name: object
) -> None:
    """1. In every spelling of ``none`` (RFC 8725 section 3.1 and 3.2)."""
    token = forge(login()[kind], {"alg": name})
    signed, _, signature = token.rpartition(".")
    for text in (f"{signed}.", f"{signed}.{signature}", signed):
        assert answers(text) == REFUSED


@pytest.mark.parametrize("algorithm", sorted({*ALGORITHMS} - {ALGORITHM}))
def test_no_algorithm_but_the_configured_one_is_accepted(
    client: APIClient, login: Login, algorithm: str
) -> None:
    """1. Not even with our own key, where the other algorithm can use it."""
    try:
        get_default_algorithms()[algorithm].prepare_key(settings.JWT_SIGNING_KEY)
        key = settings.JWT_SIGNING_KEY
        token = forge(login()["access"], {"alg": algorithm}, key, algorithm)
    except (jwt.InvalidKeyError, TypeError, ValueError, AttributeError):
        key = foreign_key(algorithm)
        token = forge(login()["access"], {"alg": algorithm}, key, algorithm)
    assert answers(token) == REFUSED
    mislabelled = forge(token, {"alg": ALGORITHM}, key, algorithm)
    assert answers(mislabelled) == REFUSED


@KINDS
def test_only_the_genuine_signature_is_accepted(client: APIClient, login: Login, kind: str) -> None:
    """2. Missing, cut, zeroed, transplanted, foreign or altered ones are not."""
    token, other = login()[kind], login()[kind]
    header, body, signature = token.split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    first, last = bytes([raw[0] ^ 1]) + raw[1:], raw[:-1] + bytes([raw[-1] ^ 1])
    texts = {
        "missing": segment(b""),
        "cut": segment(raw[:-1]),
        "longer": segment(raw + b"\0"),
        "zeroed": segment(bytes(len(raw))),
        "transplanted": other.split(".")[2],
        "foreign": forge(token, None, foreign_key()).split(".")[2],
        "first byte": segment(first),
        "last byte": segment(last),
    }
    for what, text in texts.items():
        assert answers(f"{header}.{body}.{text}") == REFUSED, what


@KINDS
def test_an_altered_token_is_refused(
    client: APIClient, login: Login, kind: str, user: User
) -> None:
    """2. Its signature is over every byte of header and payload."""
    other = UserFactory.create()
    token = login()[kind]
    header, body, signature = token.split(".")
    claims = payload(token)
    for change in ({SUBJECT: str(other.pk)}, {"exp": claims["exp"] + 1}, {"new": 1}):
        text = segment({**claims, **change})
        assert answers(f"{header}.{text}.{signature}") == REFUSED
    spaced = segment(json.dumps(claims, indent=1).encode())
    assert answers(f"{header}.{spaced}.{signature}") == REFUSED
    renamed = segment({**header_of(token), "typ": "at+jwt"})
    assert answers(f"{renamed}.{body}.{signature}") == REFUSED


def known_to_everyone(client: APIClient) -> Iterator[bytes]:
    """What an attacker who reads our public key can take for an HMAC secret."""
    yield b""
    yield str(SIMPLE_JWT["ISSUER"]).encode()
    if ASYMMETRIC:
        from cryptography.hazmat.primitives import serialization as s

        private = get_default_algorithms()[ALGORITHM].prepare_key(settings.JWT_SIGNING_KEY)
        for encoding in (s.Encoding.PEM, s.Encoding.DER):
            key = private.public_key().public_bytes(encoding, s.PublicFormat.SubjectPublicKeyInfo)
            yield from (key, key.strip(), key.replace(b"\n", b"\r\n"))
            yield base64.b64encode(key)
        jwk = client.get("/.well-known/jwks.json").json()["keys"][0]
        yield from (json.dumps(jwk).encode(), jwk["kid"].encode())
        yield from (value.encode() for value in jwk.values())


@pytest.mark.parametrize("bits", [256, 384, 512])
def test_a_public_key_is_no_hmac_secret(client: APIClient, login: Login, bits: int) -> None:
    """3. In no encoding (RFC 8725 section 2.1)."""
    token = login()["access"]
    for secret in known_to_everyone(client):
        for name in (f"HS{bits}", ALGORITHM):
            header = segment({**header_of(token), "alg": name})
            signed = f"{header}.{token.split('.')[1]}"
            digest = hmac.digest(secret, signed.encode(), f"sha{bits}")
            assert answers(f"{signed}.{segment(digest)}") == REFUSED


def public_jwk(key: str) -> object:
    """A key as the header parameter ``jwk`` holds it."""
    algorithm = get_default_algorithms()[ALGORITHM]
    prepared: Any = algorithm.prepare_key(key)
    if ASYMMETRIC:
        prepared = prepared.public_key()
    return algorithm.to_jwk(prepared, as_dict=True)


def test_a_key_that_the_token_brings_is_ignored(
    client: APIClient, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4. ``jwk``, ``x5c``, ``jku`` and ``x5u`` open nothing, and nothing is fetched."""
    token = login()["access"]

    def connect(self: socket.socket, address: object) -> None:
        raise AssertionError(f"Something connects to {address!r}")

    monkeypatch.setattr(socket.socket, "connect", connect)
    for parameters in (
        {"jwk": public_jwk(foreign_key())},
        {"x5c": [base64.b64encode(foreign_key().encode()).decode()]},
        {"jku": "http://127.0.0.1:9/jwks.json"},
        {"x5u": "http://127.0.0.1:9/key.pem", "x5t": "x"},
    ):
        assert answers(forge(token, parameters, foreign_key())) == REFUSED
        assert answers(forge(token, parameters))["access"] == 200


@pytest.mark.parametrize(
    "kid",
    [
        *("", "x", "0", "../../../../dev/null", "' OR '1'='1", "\0", "\ud800"),
        *("k" * 10_000, 0, 1, -1, 1.5, True, False, [], ["x"], {}, {"kid": "x"}, None),
        *([ABSENT] if ASYMMETRIC else []),
    ],
    ids=lambda kid: "absent" if kid is ABSENT else ascii(kid)[:20],
)
@KINDS
def test_kid_only_selects_among_the_configured_keys(
    client: APIClient, login: Login, kind: str, kid: object
) -> None:
    """5. Anything else, of any type, is 401 (RFC 8725 section 3.10)."""
    assert answers(forge(login()[kind], {"kid": kid})) == REFUSED


def test_the_kid_of_one_key_does_not_open_the_door_to_another(
    client: APIClient, login: Login, settings: Settings
) -> None:
    """5. A token is verified by the key that it names and by no other."""
    settings.JWT_SIGNING_KEY, settings.JWT_VERIFYING_KEYS = (
        foreign_key(),
        settings.JWT_SIGNING_KEY,
    )
    named = header_of(login()["access"])  # the foreign key, which is configured now
    own = settings.JWT_VERIFYING_KEYS
    token = forge(login()["access"], named, own)
    accepted = 401 if ASYMMETRIC else 200  # HMAC tokens name none: every key is tried
    assert answers(token)["access"] == accepted


@pytest.mark.parametrize(
    "parameters",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"crit": ["b64"], "b64": False},
        {"b64": False},
        {"b64": True},
        {"zip": "DEF"},
    ],
    ids=str,
)
@KINDS
def test_extensions_of_the_format_are_refused(
    client: APIClient, login: Login, kind: str, parameters: dict[str, object]
) -> None:
    """6. Header parameters that change how a token is read (RFC 7515, 7797, 7516)."""
    assert answers(forge(login()[kind], parameters)) == REFUSED


@KINDS
def test_only_the_compact_serialization_is_accepted(
    client: APIClient, login: Login, kind: str
) -> None:
    """6. No nested token, no JWE, no JSON serialization, no extra segments."""
    token = login()[kind]
    header, body, signature = token.split(".")
    nested = sign({**header_of(token), "cty": "JWT"}, token.encode())
    general = {"payload": body, "signatures": [{"protected": header}]}
    flat = {"payload": body, "protected": header, "signature": signature}
    for text in (
        nested,
        json.dumps(general),
        json.dumps(flat),
        f"{segment({'alg': 'dir', 'enc': 'A256GCM'})}..{segment(b'iv')}.x.{signature}",
        *(f"{token}.", f".{token}", f"{token}.{signature}", f"{token}..", ".", ""),
        *("..", f"{header}.{body}", f"{header}..{signature}", f"..{signature}"),
    ):
        assert answers(text) == REFUSED | (
            {} if text else {"access": 401}  # an empty token is no token
        )


NO_JSON_OBJECTS = {
    "empty": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "a string": b'"text"',
    "a number": b"1",
    "null": b"null",
    "10 000 levels deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "10 000 lists deep": b"[" * 10_000 + b"]" * 10_000,
    "not UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "with a byte order mark": b"\xef\xbb\xbf{}",
    "a huge number": b'{"exp": ' + b"9" * 5_000 + b"}",
}


@pytest.mark.parametrize("raw", NO_JSON_OBJECTS.values(), ids=NO_JSON_OBJECTS)
def test_a_segment_that_is_no_json_object_is_refused(
    client: APIClient, login: Login, raw: bytes
) -> None:
    """7. Header or payload, signed by our own key: 401 and never 5xx."""
    token = login()["access"]
    assert answers(sign(header_of(token), raw)) == REFUSED
    assert answers(sign(raw, payload(token))) == REFUSED


def respelled(token: str) -> Iterator[str]:
    """The token in other spellings that a lenient base64url reader takes for it."""
    segments = token.split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for index, text in enumerate(segments):
        unused = {0: 0, 2: 4, 3: 2}[len(text) % 4]
        last = alphabet.index(text[-1])
        spellings = [text + "=", text + "==", text + "=" * (-len(text) % 4 or 4)]
        spellings += [text + "*", "*" + text, text[:5] + "!" + text[5:], text + "\0"]
        spellings += [text + "é", text + "\n", " " + text, text[:4] + "\n" + text[4:]]
        spellings += [text[:-1] + alphabet[last + n] for n in range(1, 1 << unused)]
        if "-" in text or "_" in text:
            spellings.append(text.replace("-", "+").replace("_", "/"))
        for spelling in spellings:
            yield ".".join([*segments[:index], spelling, *segments[index + 1 :]])


@KINDS
def test_a_token_has_one_spelling(client: APIClient, login: Login, kind: str) -> None:
    """8. Padding and non-canonical base64url are refused (RFC 7515 section 2)."""
    for text in respelled(login()[kind]):
        body = {"refresh" if kind == "refresh" else "token": text}
        door = "refresh" if kind == "refresh" else "verify"
        response = client.post(f"/api/token/{door}/", body)
        assert response.status_code == 401, ascii(text)


def test_a_dead_token_stays_dead_however_it_is_spelled(client: APIClient, login: Login) -> None:
    """8. A logout is a logout for every spelling of the session's tokens."""
    pair = login()
    client.post("/api/token/blacklist/", {"refresh": pair["refresh"]})
    for kind in ("access", "refresh"):
        for text in respelled(pair[kind]):
            if text.isprintable() and text.isascii():
                assert answers(text) == REFUSED, text


# Keys

UNFIT = {
    "empty": "",
    "a placeholder": "change-me-" * 10,
    "one character": "a" * 100,
    "short": "s3cR#t!",
    "another kind of key": foreign_key("HS512" if ASYMMETRIC else "ES256"),
    "cut short": generate_key(ALGORITHM)[:25],
}


@pytest.mark.parametrize("key", UNFIT.values(), ids=UNFIT)
@pytest.mark.parametrize("name", ["JWT_SIGNING_KEY", "JWT_VERIFYING_KEYS"])
def test_an_unfit_key_is_an_error_that_names_it(settings: Settings, name: str, key: str) -> None:
    """9. For every key of the ring."""
    setattr(settings, name, key)
    errors = [error for error in run_checks() if name in str(error.msg)]
    assert bool(errors) == (name == "JWT_SIGNING_KEY" or bool(key))


@pytest.mark.parametrize("key", ["", UNFIT["a placeholder"], UNFIT["short"]])
def test_an_unfit_key_stops_the_start_in_production(key: str) -> None:
    """9. The server ends with one line that names the variable, and no traceback."""
    started = python("-c", "import config.wsgi", environment={"JWT_SIGNING_KEY": key})
    assert started.returncode == 1
    assert "JWT_SIGNING_KEY" in started.stderr
    assert "Traceback" not in started.stderr


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_generated_key_is_fit_for_its_algorithm(algorithm: str) -> None:
    """9. RFC 7518 section 3.2 to 3.5; RSA keys have 3072 bits."""
    text = generate_key(algorithm)
    if algorithm.startswith("HS"):
        assert len(text) * 6 >= int(algorithm[2:])  # six bits a character
        return
    key: Any = get_default_algorithms()[algorithm].prepare_key(text)
    if algorithm.startswith("ES"):
        curve = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
        assert key.curve.name == curve[algorithm]
    elif algorithm != "EdDSA":
        assert key.key_size >= 3072


def test_the_secret_key_signs_no_token(client: APIClient, login: Login) -> None:
    """10. A leak of ``SECRET_KEY`` opens no account."""
    assert settings.SECRET_KEY not in settings.JWT_SIGNING_KEY
    token = login()["access"]
    for algorithm in ("HS256", "HS384", "HS512"):
        header = {"alg": algorithm}
        forged = forge(token, header, settings.SECRET_KEY, algorithm)
        assert answers(forged) == REFUSED


def test_the_secret_key_is_refused_as_signing_key(settings: Settings) -> None:
    """10. The checks compare the two."""
    settings.SECRET_KEY = settings.JWT_SIGNING_KEY
    assert any("JWT_SIGNING_KEY" in str(error.msg) for error in run_checks())


@KINDS
def test_tokens_verify_by_the_published_keys_alone(
    client: APIClient, login: Login, kind: str
) -> None:
    """11. ``kid`` leads from the token to its key; HMAC publishes nothing (RFC 7517)."""
    token = login()[kind]
    response = client.get("/.well-known/jwks.json")
    if not ASYMMETRIC:
        assert response.status_code == 404
        assert "kid" not in header_of(token)
        return
    assert response.status_code == 200
    published = {key["kid"]: key for key in response.json()["keys"]}
    key = jwt.PyJWK(published[header_of(token)["kid"]])
    claims = jwt.decode(
        token,
        key,
        algorithms=[ALGORITHM],
        audience=SIMPLE_JWT["AUDIENCE"],
        issuer=SIMPLE_JWT["ISSUER"],
    )
    assert claims == payload(token)


def test_no_private_member_of_a_key_is_published(client: APIClient, settings: Settings) -> None:
    """11. Of the verify-only keys neither, although they may be given as private ones."""
    settings.JWT_VERIFYING_KEYS = foreign_key()
    response = client.get("/.well-known/jwks.json")
    if not ASYMMETRIC:
        assert response.status_code == 404
        return
    keys = response.json()["keys"]
    assert len(keys) == 2
    for key in keys:
        assert {"kty", "use", "alg", "kid"} <= key.keys()
        assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & key.keys()
        assert key["use"] == "sig"
        assert key["alg"] == ALGORITHM


def test_a_key_is_replaced_over_many_machines_without_losing_a_token(
    client: APIClient, login: Login, settings: Settings
) -> None:
    """12. While machines are restarted one by one, each accepts the other's tokens."""
    old, new = settings.JWT_SIGNING_KEY, foreign_key()
    steps = [(old, ""), (old, new), (new, old), (new, "")]
    issued = []
    for signing, verifying in steps:
        settings.JWT_SIGNING_KEY, settings.JWT_VERIFYING_KEYS = signing, verifying
        issued.append(login())
    for before, after in ((0, 1), (1, 2), (2, 3)):
        for machine, other in ((before, after), (after, before)):
            settings.JWT_SIGNING_KEY, settings.JWT_VERIFYING_KEYS = steps[machine]
            token = issued[other]["access"]
            assert answers(token)["access"] == 200, (machine, other)
    for key, dead in ((new, issued[0]), (old, issued[3])):
        settings.JWT_SIGNING_KEY, settings.JWT_VERIFYING_KEYS = key, ""
        assert answers(dead["access"]) == REFUSED  # the other key is gone


# Claims

NO_TIMES: dict[str, object] = {
    "absent": ABSENT,
    "null": None,
    "text": "tomorrow",
    "digits": "9999999999",
    "a bool": True,
    "a fraction": 9999999999.5,
    "negative": -1,
    "zero": 0,
    "NaN": math.nan,
    "infinite": math.inf,
    "huge": 10**30,
    "beyond 64 bits": 2**63,
    "400 digits": 10**400,
    "the year 10000": 253_402_300_800,
    "a list": [9999999999],
    "an object": {},
}


@pytest.mark.parametrize("value", NO_TIMES.values(), ids=NO_TIMES)
@KINDS
def test_an_expiry_that_is_no_time_to_come_is_refused(
    client: APIClient, login: Login, kind: str, value: object
) -> None:
    """13. Of whatever type and size it is."""
    assert answers(forge(login()[kind], exp=value)) == REFUSED


@KINDS
def test_a_token_ends_with_the_second_that_it_names(
    client: APIClient, login: Login, kind: str, clock: time_machine.Traveller
) -> None:
    """13. There is no leeway."""
    token = login()[kind]
    clock.move_to(payload(token)["exp"] - 1)
    assert client.post("/api/token/verify/", {"token": token}).status_code == 200
    clock.shift(1)
    assert answers(token) == REFUSED


@pytest.mark.parametrize("name", ["nbf", "iat"])
@KINDS
def test_a_token_from_the_future_is_refused(
    client: APIClient, login: Login, kind: str, name: str
) -> None:
    """14. By more than the minute that the clocks of two machines may differ."""
    token, now = login()[kind], int(time.time())
    ahead = forge(token, **{name: now + 60})
    assert client.post("/api/token/verify/", {"token": ahead}).status_code == 200
    assert answers(forge(token, **{name: now + 61})) == REFUSED


@pytest.mark.parametrize(
    "value",
    [v for what, v in NO_TIMES.items() if what not in ("absent", "zero")],
    ids=[what for what in NO_TIMES if what not in ("absent", "zero")],
)
@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_odd_types_of_other_times_are_refused(
    client: APIClient, login: Login, name: str, value: object
) -> None:
    """14. 401 and never 5xx."""
    assert answers(forge(login()["access"], **{name: value})) == REFUSED
    assert answers(forge(login()["refresh"], **{name: value})) == REFUSED


NO_TEXTS: dict[str, object] = {
    "absent": ABSENT,
    "null": None,
    "a bool": True,
    "a number": 1,
    "a fraction": 1.5,
    "a list": [],
    "an object": {"pk": 1},
    "empty": "",
    "blank": " ",
    "overlong": "1" * 10_000,
    "with NUL": "1\0",
    "a lone surrogate": "\ud800",
}


@pytest.mark.parametrize("value", NO_TEXTS.values(), ids=NO_TEXTS)
@pytest.mark.parametrize("name", [SUBJECT, "sid"])
@KINDS
def test_a_claim_of_the_wrong_type_is_nobody(
    client: APIClient, login: Login, kind: str, name: str, value: object
) -> None:
    """15. The subject and the session."""
    assert answers(forge(login()[kind], **{name: value})) == REFUSED


@pytest.mark.parametrize("what", sorted({*NO_TEXTS} - {"blank"}))
@KINDS
def test_a_token_without_a_usable_id_is_refused(
    client: APIClient, login: Login, kind: str, what: str
) -> None:
    """15. ``jti`` is a text of some length."""
    assert answers(forge(login()[kind], jti=NO_TEXTS[what])) == REFUSED


@pytest.mark.parametrize(
    "spelling",
    [
        "{}.0",
        "{}.5",
        "0{}",
        "+{}",
        " {}",
        "{} ",
        "{}\n",
        "{}\0",
        "{}_0",
        "{}e0",
        "0x{}",
    ],
)
@KINDS
def test_a_look_alike_of_a_primary_key_is_nobody(
    client: APIClient, login: Login, user: User, kind: str, spelling: str
) -> None:
    """15. The subject is the primary key in its one spelling."""
    subject = spelling.format(user.pk)
    assert answers(forge(login()[kind], **{SUBJECT: subject})) == REFUSED
    digits = "".join(chr(0xFF10 + int(d)) if d.isdecimal() else d for d in str(user.pk))
    assert answers(forge(login()[kind], **{SUBJECT: digits})) == REFUSED


@KINDS
def test_a_session_belongs_to_its_user_only(client: APIClient, login: Login, kind: str) -> None:
    """15. ``sub`` and ``sid`` are believed together or not at all."""
    token = login()[kind]
    for subject in (str(UserFactory.create().pk), str(10**12)):
        assert answers(forge(token, **{SUBJECT: subject})) == REFUSED


@pytest.mark.parametrize(
    "spelling",
    [str.upper, lambda sid: "{" + sid + "}", "urn:uuid:{}".format, "0{}".format],
)
@KINDS
def test_a_look_alike_of_a_session_is_none(
    client: APIClient, login: Login, kind: str, spelling: Callable[[str], str]
) -> None:
    """15. The session's id has one spelling, and another session's is not there."""
    token = login()[kind]
    sid = spelling(payload(token).get("sid", "x"))
    assert answers(forge(token, sid=sid)) == REFUSED


@pytest.mark.parametrize(
    "value",
    [ABSENT, None, True, False, "0", "", 0.0, 1.5, -1, 2**31, 10**30, math.nan, [], {}],
    ids=lambda value: "absent" if value is ABSENT else repr(value)[:10],
)
def test_a_sequence_number_that_is_none_is_refused(
    client: APIClient, login: Login, value: object
) -> None:
    """15. 401, and the session lives on."""
    pair = login()
    assert answers(forge(pair["refresh"], seq=value)) == REFUSED
    assert answers(pair["access"])["access"] == 200


@pytest.mark.parametrize(
    "value", [ABSENT, None, True, 1, [], {}, "", "sliding", "ACCESS", "Refresh", "id"]
)
@KINDS
def test_a_token_of_no_known_type_is_refused(
    client: APIClient, login: Login, kind: str, value: object
) -> None:
    """16. The type is one of two texts."""
    assert answers(forge(login()[kind], token_type=value)) == REFUSED


def test_token_types_never_swap(client: APIClient, login: Login) -> None:
    """16. A refresh token opens no resource, an access token refreshes nothing."""
    pair = login()
    assert answers(pair["refresh"])["access"] == 401
    assert answers(pair["access"])["refresh"] == 401


@pytest.mark.parametrize("name", ["iss", "aud"])
@KINDS
def test_issuer_and_audience_are_checked_exactly(
    client: APIClient, login: Login, kind: str, name: str
) -> None:
    """17. Another, none, a list with ours in it, another spelling: all are refused."""
    token = login()[kind]
    own = {"iss": "ISSUER", "aud": "AUDIENCE"}[name]
    configured = SIMPLE_JWT[own]
    assert payload(token)[name] == configured
    for value in (
        *("somebody else", f"{configured}/", f" {configured}", configured.swapcase()),
        *([configured], [configured, "x"], {configured: 1}, "", None, 1, True, ABSENT),
    ):
        assert answers(forge(token, **{name: value})) == REFUSED, value


def test_a_token_says_what_it_needs_and_nothing_secret(
    client: APIClient, login: Login, user: User
) -> None:
    """18. The refresh token has no personal data; neither has a secret."""
    pair = login()
    common = {"token_type", "iss", "aud", "sub", "exp", "iat", "jti", "sid"}
    assert payload(pair["refresh"]).keys() == common | {"seq"}
    assert payload(pair["access"]).keys() >= common
    text = json.dumps([payload(pair["access"]), payload(pair["refresh"]), pair])
    user.refresh_from_db()
    fingerprints = [hashlib.new(f, user.password.encode()) for f in ("md5", "sha256")]
    for secret in (
        *(PASSWORD, user.password, settings.SECRET_KEY, settings.JWT_SIGNING_KEY),
        *(fingerprint.hexdigest() for fingerprint in fingerprints),
    ):
        assert secret not in text
    assert user.get_username() not in json.dumps(payload(pair["refresh"]))


def test_an_extra_claim_never_replaces_one_of_the_token_itself(
    client: APIClient, login: Login, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """18. Whatever an owner writes into ``claims_for``."""
    genuine = payload(login()["access"])
    extra = dict.fromkeys([*genuine, "access", "refresh"], "overwritten")
    monkeypatch.setattr("tokens.tokens.claims_for", lambda user: extra)
    pair = login()
    claims = payload(pair["access"])
    own = {"token_type", "iss", "aud", "sub", "exp", "iat", "jti", "sid"}
    assert all(claims[name] != "overwritten" for name in own)
    assert answers(pair["access"])["access"] == 200
    assert answers(pair["refresh"])["refresh"] == 200


def test_no_refresh_goes_beyond_the_absolute_end_of_the_session(
    client: APIClient, login: Login, settings: Settings, clock: time_machine.Traveller
) -> None:
    """19. However often it is refreshed, one login ends when it was said to."""
    lifetime = SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"]
    settings.SESSION_LIFETIME = 2 * lifetime
    end = time.time() + settings.SESSION_LIFETIME.total_seconds()
    pair = login()
    while time.time() < end:
        for token in (pair["access"], pair["refresh"]):
            assert payload(token)["exp"] <= end
        clock.shift(lifetime / 2)
        response = refresh(pair["refresh"])
        assert response.status_code == (200 if time.time() < end else 401)
        pair = response.json() if response.status_code == 200 else pair
    assert answers(pair["access"]) == REFUSED
    assert answers(pair["refresh"]) == REFUSED
