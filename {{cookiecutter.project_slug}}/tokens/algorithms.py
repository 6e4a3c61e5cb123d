"""The signing algorithms (RFC 7518, RFC 8037): generating keys, and parsing them.

The environment holds keys as text. For an HMAC algorithm the text is the secret itself.
For the others it is the base64 of the key's DER on one line, or PEM with real or
``\\n``-escaped line ends: a private key to sign with, a private or public one to verify
with. Several keys follow one another, secrets and bare base64 one per line.
"""

import base64
import re
import secrets
from contextlib import suppress
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from jwt.algorithms import get_default_algorithms
from jwt.exceptions import InvalidKeyError

CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
ALGORITHMS = [f"{kind}{bits}" for kind in ("HS", "RS", "PS") for bits in (256, 384, 512)]
ALGORITHMS += [*CURVES, "EdDSA"]

# A key as PEM, perhaps after the parameters of its curve, or else a word.
KEY = re.compile(r"-----BEGIN (EC PARAMETERS|[A-Z ]*KEY)-----(.*?)-----END \1-----|(\S+)", re.S)
URL_SAFE = str.maketrans("-_", "+/")
PLACEHOLDER = re.compile(
    "^JWT_|change.?me|replace.?me|placeholder|insecure|example|your-|secret|password", re.IGNORECASE
)


class UnfitKey(ValueError):
    """The key does not fit the algorithm; the message says why."""


def is_hmac(algorithm: str) -> bool:
    return algorithm.startswith("HS")


def generate_key(algorithm: str) -> str:
    """Return a new key: an HMAC secret, or the base64 of a private key's PKCS8 DER.

    It is one word without quotes and backslashes, so the same line works in a shell and in
    every kind of environment file. A secret has as much entropy as the hash has bits (RFC
    7518 section 3.2); an RSA key has 3072 bits.
    """
    key: Any
    if is_hmac(algorithm):
        return secrets.token_urlsafe(int(algorithm[2:]) // 8)
    if algorithm in CURVES:
        key = ec.generate_private_key(CURVES[algorithm])
    elif algorithm == "EdDSA":
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    der: bytes = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return base64.b64encode(der).decode()


def read_keys(algorithm: str, text: str) -> list[Any]:
    """Return the keys in ``text``, as PyJWT uses them.

    Raises ``UnfitKey`` if one of them cannot be used.
    """
    if not is_hmac(algorithm):
        found = KEY.finditer(text.replace("\\n", "\n"))
        words = [key[2] or key[3] for key in found if key[1] != "EC PARAMETERS"]
        return [_fit(algorithm, _key_of_pair(word)) for word in words]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if "-----BEGIN" in text or any(map(_key_of_pair, [*lines, text])):
        raise UnfitKey(f"{algorithm} takes a secret, and this is a key of a key pair")
    if any(PLACEHOLDER.search(line) or len(set(line)) < 10 for line in lines):
        raise UnfitKey("it looks like a placeholder, or starts with the variable's name")
    return [_fit(algorithm, line) for line in lines]


def _key_of_pair(text: str) -> Any:
    """Return the key whose DER is ``text`` in base64, standard or URL-safe, or None."""
    word = "".join(text.split()).rstrip("=")
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        der = base64.b64decode(word.translate(URL_SAFE) + "=" * (-len(word) % 4), validate=True)
        with suppress(ValueError):
            return serialization.load_der_public_key(der)
        return serialization.load_der_private_key(der, None)
    return None


def _fit(algorithm: str, key: Any) -> Any:
    """Return ``key`` as PyJWT uses it, or raise ``UnfitKey``."""
    implementation = get_default_algorithms()[algorithm]
    try:
        key = implementation.prepare_key(key)
    except (InvalidKeyError, ValueError, TypeError):
        what = f"not a key for {algorithm}, or cut short, encrypted, or a certificate"
        raise UnfitKey(f"it is {what}") from None
    if isinstance(key, (ed448.Ed448PrivateKey, ed448.Ed448PublicKey)):
        raise UnfitKey(f"it is an Ed448 key; {algorithm} takes Ed25519")
    if weakness := implementation.check_key_length(key):
        raise UnfitKey(weakness.rstrip("."))
    return key
