"""The signing algorithms (RFC 7518, RFC 8037): making keys, and reading them.

Key texts are what the environment holds. For an HMAC algorithm a key is the secret
itself. For the others it is PEM, with real or ``\\n``-escaped line ends: the private
key where it signs, the private or public one where it only verifies. Several keys
stand one after another, HMAC secrets one per line.
"""

import re
import secrets
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from jwt.algorithms import get_default_algorithms
from jwt.exceptions import InvalidKeyError

CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
ALGORITHMS = [f"{kind}{bits}" for kind in ("HS", "RS", "PS") for bits in (256, 384, 512)]
ALGORITHMS += [*CURVES, "EdDSA"]

PEM_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
PLACEHOLDER = re.compile(
    "^JWT_|change.?me|replace.?me|placeholder|insecure|example|your-|secret|password", re.IGNORECASE
)


class UnfitKey(ValueError):
    """A key that does not fit its algorithm; the message says why."""


def is_hmac(algorithm: str) -> bool:
    return algorithm.startswith("HS")


def generate_key(algorithm: str) -> str:
    """The text of a new key: an HMAC secret, or a private key as PEM.

    A secret has as much entropy as the hash has bits (RFC 7518 section 3.2), an RSA
    key 3072 bits.
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
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode()


def read_keys(algorithm: str, text: str) -> list[Any]:
    """The keys in ``text``, as PyJWT has them. Raises ``UnfitKey`` for the first that
    is none."""
    if is_hmac(algorithm):
        if "-----BEGIN" in text:
            raise UnfitKey(f"{algorithm} takes a secret, and this is PEM")
        lines = [line.strip() for line in text.splitlines()]
        return [_read(algorithm, line) for line in lines if line]
    text = text.replace("\\n", "\n")
    if PEM_BLOCK.sub("", text).strip():
        raise UnfitKey(f"{algorithm} takes PEM, and this is none, or is cut short")
    blocks = PEM_BLOCK.finditer(text)
    return [_read(algorithm, pem[0]) for pem in blocks if pem[1] != "EC PARAMETERS"]


def _read(algorithm: str, text: str) -> Any:
    if is_hmac(algorithm) and (PLACEHOLDER.search(text) or len(set(text)) < 10):
        raise UnfitKey("it looks like a placeholder, or begins with the variable's name")
    implementation = get_default_algorithms()[algorithm]
    try:
        key = implementation.prepare_key(text)
    except (InvalidKeyError, ValueError, TypeError, UnsupportedAlgorithm):
        what = f"no key for {algorithm}, or is cut short, encrypted or a certificate"
        raise UnfitKey(f"it is {what}") from None
    if isinstance(key, (ed448.Ed448PrivateKey, ed448.Ed448PublicKey)):
        raise UnfitKey(f"it is an Ed448 key; {algorithm} takes Ed25519")
    if weakness := implementation.check_key_length(key):
        raise UnfitKey(weakness.rstrip("."))
    return key
