"""Promises 1 to 8: one algorithm, one signature, one spelling.

Like all promises about tokens, they hold for every algorithm and lifetime. Change these in
``config/jwt.py`` and run the tests again.
"""

import base64
import hmac
import json
import socket
from collections.abc import Iterator
from itertools import product
from unittest.mock import Mock

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from jwt.algorithms import get_default_algorithms
from jwt.utils import base64url_decode

from tests.conftest import Login, UseKeys, each, key_for, logout, opens, payload, refresh, verify
from tests.factories import UserFactory
from tests.forge import (
    ABSENT,
    ACCEPTED,
    ALGORITHM,
    REFUSED,
    SIMPLE_JWT,
    answers,
    foreign_key,
    forge,
    header_of,
    segment,
    sign,
)
from tokens.algorithms import ALGORITHMS, is_hmac, read_keys
from tokens.keys import key_ring


@each("name", "none", "None", "NONE", "nOnE", "", None, ABSENT)
def test_1_an_unsigned_token_is_refused(genuine: str, name: object) -> None:
    """So is every spelling of ``none`` (RFC 8725 section 3.1 and 3.2)."""
    signed, _, signature = forge(genuine, {"alg": name}).rpartition(".")
    for text in (f"{signed}.", f"{signed}.{signature}", signed):
        assert answers(text) == REFUSED


@each("algorithm", *sorted({*ALGORITHMS} - {ALGORITHM}))
def test_1_no_algorithm_but_the_configured_one_is_accepted(token: str, algorithm: str) -> None:
    """This includes tokens signed with our own key, if another algorithm can use it."""
    kinds = {ALGORITHM[:2], algorithm[:2]}
    own = kinds in ({"HS"}, {"RS"}, {"PS"}, {"RS", "PS"})
    key = settings.JWT_SIGNING_KEY if own else foreign_key(algorithm)
    for name in (algorithm, ALGORITHM):
        assert answers(forge(token, {"alg": name}, key, algorithm)) == REFUSED


def test_2_only_the_genuine_signature_is_accepted(genuine: str, login: Login) -> None:
    """Missing, shortened, zeroed, transplanted, foreign and altered ones are refused."""
    signed, _, signature = genuine.rpartition(".")
    raw = base64url_decode(signature)
    assert answers(f"{signed}.{segment(raw)}") == ACCEPTED[payload(genuine)["token_type"]]
    for other in (
        *(b"", raw[:-1], raw + b"\0", bytes(len(raw))),
        *(bytes([raw[0] ^ 1]) + raw[1:], raw[:-1] + bytes([raw[-1] ^ 1])),
        base64url_decode(login()["access"].rpartition(".")[2]),
        base64url_decode(forge(genuine, None, foreign_key()).rpartition(".")[2]),
    ):
        assert answers(f"{signed}.{segment(other)}") == REFUSED, other


def test_2_an_altered_token_is_refused(genuine: str) -> None:
    """The signature covers every byte of header and payload."""
    header, body, signature = genuine.split(".")
    claims = payload(genuine)
    changes = {"sub": str(UserFactory.create().pk)}, {"exp": claims["exp"] + 1}, {"new": 1}
    for altered in (
        *(f"{header}.{segment(claims | change)}" for change in changes),
        f"{header}.{segment(json.dumps(claims, indent=1).encode())}",
        f"{segment(header_of(genuine) | {'typ': 'at+jwt'})}.{body}",
    ):
        assert answers(f"{altered}.{signature}") == REFUSED, altered


@each("algorithm", "RS256", "ES256", "EdDSA")
def test_3_a_public_key_is_no_hmac_secret(login: Login, use_keys: UseKeys, algorithm: str) -> None:
    """No encoding of it signs anything, since everybody can read it (RFC 8725 section 2.1)."""
    use_keys(key_for(algorithm), algorithm=algorithm)
    token = login()["access"]
    assert opens(token)
    [jwk] = key_ring().jwks()
    known = [b"", SIMPLE_JWT["ISSUER"].encode(), json.dumps(jwk).encode()]
    known += [value.encode() for value in jwk.values()]
    public = key_ring().signing.verifying
    for encoding in (Encoding.PEM, Encoding.DER):
        key = public.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        known += [key, key.strip(), key.replace(b"\n", b"\r\n")]
        known += [base64.b64encode(key), base64.urlsafe_b64encode(key)]
    for secret, bits, name in product(known, (256, 384, 512), ("HS{}", algorithm)):
        header = segment(header_of(token) | {"alg": name.format(bits)})
        signed = f"{header}.{token.split('.')[1]}"
        digest = hmac.digest(secret, signed.encode(), f"sha{bits}")
        assert not opens(f"{signed}.{segment(digest)}")


def test_4_a_key_that_a_token_brings_is_ignored(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``jwk``, ``x5c``, ``jku`` and ``x5u`` have no effect, and nothing is fetched."""
    implementation = get_default_algorithms()[ALGORITHM]
    [foreign] = read_keys(ALGORITHM, foreign_key())
    public = foreign if is_hmac(ALGORITHM) else foreign.public_key()
    monkeypatch.setattr(socket.socket, "connect", connect := Mock())
    for parameters in (
        {"jwk": implementation.to_jwk(public, as_dict=True)},
        {"x5c": [base64.b64encode(foreign_key().encode()).decode()]},
        {"jku": "http://127.0.0.1:9/jwks.json"},
        {"x5u": "http://127.0.0.1:9/key.pem", "x5t": "x"},
    ):
        assert answers(forge(token, parameters, foreign_key())) == REFUSED
        assert answers(forge(token, parameters)) == ACCEPTED["access"]
    assert not connect.called


@each(
    "kid",
    *("", "x", "0", "../../../../dev/null", "' OR '1'='1", "\0", "\ud800", "k" * 10_000),
    *(0, 1, -1, 1.5, True, False, [], ["x"], {}, {"kid": "x"}, None),
    *([] if is_hmac(ALGORITHM) else [ABSENT]),
)
def test_5_kid_only_selects_among_the_configured_keys(genuine: str, kid: object) -> None:
    """For anything else the response is 401 (RFC 8725 section 3.10)."""
    assert answers(forge(genuine, {"kid": kid})) == REFUSED


@each("algorithm", "HS256", "ES256")
def test_5_a_token_is_verified_by_its_key(login: Login, use_keys: UseKeys, algorithm: str) -> None:
    """Other configured keys are not tried, except for HMAC, whose tokens name no key."""
    first, second = key_for(algorithm), key_for(algorithm, "second")
    use_keys(first, second, algorithm)
    token = login()["access"]
    assert opens(forge(token, None, second, algorithm)) is is_hmac(algorithm)


@each(
    "parameters",
    *({"crit": ["exp"]}, {"crit": []}, {"crit": ["b64"], "b64": False}),
    *({"b64": False}, {"b64": True}, {"zip": "DEF"}),
)
def test_6_extensions_of_the_format_are_refused(genuine: str, parameters: dict[str, str]) -> None:
    """These header parameters change how a token is read (RFC 7515, 7797, 7516)."""
    assert answers(forge(genuine, parameters)) == REFUSED


def test_6_only_the_compact_serialization_is_accepted(genuine: str) -> None:
    """Nested tokens, JWE, JSON serialization and extra segments are refused."""
    header, body, signature = genuine.split(".")
    for text in (
        sign(header_of(genuine) | {"cty": "JWT"}, genuine.encode()),
        json.dumps({"payload": body, "signatures": [{"protected": header}]}),
        json.dumps({"payload": body, "protected": header, "signature": signature}),
        f"{segment({'alg': 'dir', 'enc': 'A256GCM'})}..{segment(b'iv')}.x.{signature}",
        *(f"{genuine}.", f".{genuine}", f"{genuine}.{signature}", f"{genuine}..", "", "rubbish"),
        *(".", "..", f"{header}.{body}", f"{header}..{signature}", f"..{signature}"),
    ):
        assert answers(text) == REFUSED, text


NO_JSON_OBJECTS = [
    *(b"", b"{", b"[]", b'"text"', b"1", b"null", b"\xef\xbb\xbf{}", b'{"a": "\xff"}'),
    *(b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b"[" * 10_000 + b"]" * 10_000),
    *('{"a": 1}'.encode("utf-16"), b'{"exp": ' + b"9" * 5_000 + b"}"),
]


@each("raw", *NO_JSON_OBJECTS)
def test_7_a_segment_that_is_no_json_object_is_refused(token: str, raw: bytes) -> None:
    """The response is 401 and never 5xx, even if our own key has signed it."""
    assert answers(sign(header_of(token), raw)) == REFUSED
    assert answers(sign(raw, payload(token))) == REFUSED


def respelled(token: str) -> Iterator[str]:
    """Return other spellings of the token that a lenient base64url decoder would accept."""
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


def test_8_a_token_has_one_spelling(genuine: str) -> None:
    """Padding and non-canonical base64url are refused (RFC 7515 section 2).

    So a revoked token stays revoked, however it is spelled.
    """
    for text in respelled(genuine):
        statuses = {verify(text).status_code, refresh(text).status_code}
        assert statuses == {401}, ascii(text)
        assert text.strip() == genuine or not opens(text)  # a header may have more spaces
        assert logout(text).status_code == 200
    assert answers(genuine) == ACCEPTED[payload(genuine)["token_type"]]
