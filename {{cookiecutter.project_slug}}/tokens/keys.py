"""The key ring (one key signs, any number of others verify) and the token backend.

Tokens of an asymmetric algorithm name their key in ``kid``, by its RFC 7638 thumbprint,
and only that key is tried. HMAC tokens name no key, since a name must not be derived from
a secret, so every key is tried.
"""

import hashlib
import json
import re
import time
from functools import cache
from typing import Any, NamedTuple

import jwt
from django.conf import settings
from jwt.algorithms import Algorithm, get_default_algorithms
from jwt.utils import base64url_decode, base64url_encode
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken
from rest_framework_simplejwt.settings import api_settings

from tokens.algorithms import UnfitKey, is_hmac, read_keys

# Three segments in the one canonical spelling of base64url: without padding, and with
# zeros in the unused last bits (RFC 7515 section 2).
SEGMENT = r"(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?"
COMPACT = re.compile(rf"{SEGMENT}\.{SEGMENT}\.{SEGMENT}")

# Header parameters that change how a token must be read. Our tokens never have them.
UNSUPPORTED = {"crit", "b64", "zip"}

# How far ahead another machine's clock may be, in seconds. ``exp`` gets no grace.
CLOCK_SKEW = 60

LAST_TIME = 253_402_300_800  # the year 10000, which datetime cannot represent


class Key(NamedTuple):
    """A key of the ring. ``signing`` is None if only the public half is known."""

    kid: str | None
    verifying: Any
    signing: Any
    jwk: dict[str, str] | None


class KeyRing:
    """The signing key, followed by the keys that only verify.

    Raises ``UnfitKey``, whose message starts with the setting's name.
    """

    def __init__(self, algorithm: str, signing_key: str, verifying_keys: str) -> None:
        self.algorithm = algorithm
        self.implementation: Algorithm = get_default_algorithms()[algorithm]
        signing = self._read("JWT_SIGNING_KEY", signing_key)
        if len(signing) != 1:
            raise UnfitKey(f"JWT_SIGNING_KEY: it takes one key and holds {len(signing)}.")
        if signing[0].signing is None:
            raise UnfitKey("JWT_SIGNING_KEY: it is a public key; signing takes the private one.")
        self.signing = signing[0]
        self.keys = signing + self._read("JWT_VERIFYING_KEYS", verifying_keys)

    def candidates(self, header: dict[str, Any]) -> list[Key]:
        """Return the keys that may have signed a token with this header."""
        if is_hmac(self.algorithm):
            return [] if "kid" in header else self.keys
        return [key for key in self.keys if key.kid == header.get("kid")]

    def jwks(self) -> list[dict[str, str]]:
        """Return the public keys as JSON Web Keys (RFC 7517), each once; none for HMAC."""
        return list({key.kid: key.jwk for key in self.keys if key.jwk}.values())

    def _read(self, setting: str, text: str) -> list[Key]:
        try:
            return [self._key(parsed) for parsed in read_keys(self.algorithm, text)]
        except UnfitKey as error:
            raise UnfitKey(f"{setting}: {error}.") from None

    def _key(self, parsed: Any) -> Key:
        if is_hmac(self.algorithm):
            return Key(kid=None, verifying=parsed, signing=parsed, jwk=None)
        private = hasattr(parsed, "public_key")
        public = parsed.public_key() if private else parsed
        jwk = self.implementation.to_jwk(public, as_dict=True)
        jwk.pop("key_ops", None)
        kid = thumbprint(jwk)
        jwk.update(use="sig", alg=self.algorithm, kid=kid)
        return Key(kid=kid, verifying=public, signing=parsed if private else None, jwk=jwk)


def thumbprint(jwk: dict[str, str]) -> str:
    """Return the RFC 7638 thumbprint of a public key, given its required members."""
    text = json.dumps(jwk, sort_keys=True, separators=(",", ":"))
    return base64url_encode(hashlib.sha256(text.encode()).digest()).decode()


_key_ring = cache(KeyRing)


def key_ring() -> KeyRing:
    """Return the ring of the keys in the settings, parsed once per process."""
    keys = (settings.JWT_SIGNING_KEY, settings.JWT_VERIFYING_KEYS)
    return _key_ring(api_settings.ALGORITHM, *keys)


class KeyRingTokenBackend(TokenBackend):
    """SimpleJWT's backend, with the keys of the ring and strict parsing."""

    def encode(self, payload: dict[str, Any]) -> str:
        ring, encoder = key_ring(), api_settings.JSON_ENCODER
        payload = payload | {"iss": api_settings.ISSUER, "aud": api_settings.AUDIENCE}
        headers = {"kid": ring.signing.kid} if ring.signing.kid else None
        return jwt.encode(payload, ring.signing.signing, ring.algorithm, headers, encoder)

    def decode(self, token: str | bytes, verify: bool = True) -> dict[str, Any]:
        """Return the payload of a token that this project has signed.

        Without ``verify`` the token may be of any age; everything else is checked all the
        same. Raises ``TokenBackendExpiredToken`` if it has expired, and
        ``TokenBackendError`` if anything else is wrong.
        """
        try:
            text = token if isinstance(token, str) else token.decode("ascii")
            if COMPACT.fullmatch(text) is None:
                raise TokenBackendError("Token is not a JWS in compact serialization")
            signed, _, signature = text.rpartition(".")
            header, payload = map(json_object, signed.split("."))
            if not self._is_signed(header, signed, signature):
                raise TokenBackendError("Token is not signed by one of the keys")
        except (ValueError, RecursionError) as error:
            raise TokenBackendError("Token is malformed") from error
        if payload.get("iss") != api_settings.ISSUER or payload.get("aud") != api_settings.AUDIENCE:
            raise TokenBackendError("Token has another issuer or audience")
        expires, *begins = times = [payload.get("exp"), payload.get("iat"), payload.get("nbf", 0)]
        if not all(type(time) is int and 0 <= time < LAST_TIME for time in times):
            raise TokenBackendError("Token has invalid times")
        if verify and expires <= time.time():
            raise TokenBackendExpiredToken("Token is expired")
        if verify and max(begins) > time.time() + CLOCK_SKEW:
            raise TokenBackendError("Token is not valid yet")
        return payload

    def _is_signed(self, header: dict[str, Any], signed: str, signature: str) -> bool:
        ring, text, mac = key_ring(), signed.encode(), base64url_decode(signature)
        if header.get("alg") != ring.algorithm or UNSUPPORTED & header.keys():
            return False
        verify = ring.implementation.verify
        return any(verify(text, key.verifying, mac) for key in ring.candidates(header))


def json_object(segment: str) -> dict[str, Any]:
    """Return the JSON object that a segment of a token encodes. Raises ``ValueError``."""
    value = json.loads(base64url_decode(segment).decode())
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


@cache
def token_backend() -> KeyRingTokenBackend:
    """Return the backend of all tokens, which uses the settings of ``SIMPLE_JWT``."""
    return KeyRingTokenBackend(api_settings.ALGORITHM)
