"""Tokens that this project never issues, for tests that send them to it."""

import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization as s
from django.conf import settings
from jwt.algorithms import get_default_algorithms
from jwt.utils import base64url_decode, base64url_encode

from tests.conftest import key_for, logged_in, payload, refresh, verify
from tokens.algorithms import is_hmac, read_keys

SIMPLE_JWT: dict[str, Any] = settings.SIMPLE_JWT
ALGORITHM: str = SIMPLE_JWT["ALGORITHM"]
SUBJECT: str = SIMPLE_JWT["USER_ID_CLAIM"]


class ABSENT:
    """The value of a claim or header parameter to leave out."""


def header_of(token: str) -> dict[str, Any]:
    """Return the header of a token, unverified."""
    return dict(json.loads(base64url_decode(token.split(".")[0])))


def segment(value: object) -> str:
    """Encode bytes as they are, or anything else as JSON, in base64url."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64url_encode(raw).decode()


def sign(header: object, claims: object, key: str = "", algorithm: str = "") -> str:
    """Return a token in compact serialization, signed with this project's key by default."""
    name, key = algorithm or ALGORITHM, key or settings.JWT_SIGNING_KEY
    signed = f"{segment(header)}.{segment(claims)}"
    prepared = key.encode() if is_hmac(name) else read_keys(name, key)[0]
    return f"{signed}.{segment(get_default_algorithms()[name].sign(signed.encode(), prepared))}"


def forge(
    token: str,
    header: Mapping[str, object] | None = None,
    key: str = "",
    algorithm: str = "",
    /,
    **claims: object,
) -> str:
    """Return ``token`` signed again, with changes to its header and claims."""
    new_header = changed(header_of(token), header or {})
    return sign(new_header, changed(payload(token), claims), key, algorithm)


def changed(old: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, Any]:
    new = {**old, **changes}
    return {name: value for name, value in new.items() if value is not ABSENT}


def pem(key: Any, form: s.PrivateFormat = s.PrivateFormat.PKCS8, passphrase: bytes = b"") -> str:
    """Return a private key as text."""
    protection = s.BestAvailableEncryption(passphrase) if passphrase else s.NoEncryption()
    return str(key.private_bytes(s.Encoding.PEM, form, protection), "ascii")


def public_pem(key: Any) -> str:
    """Return the public half of a private key as text."""
    form = s.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(s.Encoding.PEM, form), "ascii")


def foreign_key(algorithm: str = ALGORITHM) -> str:
    """Return a key that fits the algorithm and that this project does not know."""
    return key_for(algorithm, "foreign")


def answers(token: str) -> dict[str, int]:
    """Return the status of each kind of request that a token could be good for."""
    access = logged_in(token).get("/api/users/me/")
    doors = {"access": access, "verify": verify(token), "refresh": refresh(token)}
    return {door: response.status_code for door, response in doors.items()}


#: What ``answers`` returns for a token that is good for nothing.
REFUSED = {"access": 401, "verify": 401, "refresh": 401}
#: What it returns for a good one, by its type.
ACCEPTED = {kind: REFUSED | {kind: 200, "verify": 200} for kind in ("access", "refresh")}
