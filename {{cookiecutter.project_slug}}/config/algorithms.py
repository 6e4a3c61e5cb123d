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
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
ALGORITHMS = [f"{kind}{bits}" for kind in ("HS", "RS", "PS") for bits in (256, 384, 512)]
ALGORITHMS += [*CURVES, "EdDSA"]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

PEM_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
PLACEHOLDER = re.compile(
    "change.?me|replace.?me|placeholder|insecure|example|your-|secret|password", re.IGNORECASE
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
    key: PrivateKey
    if is_hmac(algorithm):
        return secrets.token_urlsafe(hash_length(algorithm))
    if algorithm in CURVES:
        key = ec.generate_private_key(CURVES[algorithm])
    elif algorithm == "EdDSA":
        key = ed25519.Ed25519PrivateKey.generate()
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def hash_length(algorithm: str) -> int:
    """Bytes of an HMAC algorithm's hash, the least that its secret may have."""
    return int(algorithm[2:]) // 8


def read_keys(algorithm: str, text: str) -> list[PrivateKey | PublicKey | bytes]:
    """The keys in ``text``, parsed. Raises ``UnfitKey`` for the first that is none."""
    if is_hmac(algorithm):
        if "-----BEGIN" in text:
            raise UnfitKey(f"{algorithm} takes a secret, and this is PEM")
        lines = [line.strip() for line in text.splitlines()]
        return [_read_secret(algorithm, line) for line in lines if line]
    text = text.replace("\\n", "\n")
    blocks = [pem for pem in PEM_BLOCK.finditer(text) if pem[1] != "EC PARAMETERS"]
    if PEM_BLOCK.sub("", text).strip():
        raise UnfitKey(f"{algorithm} takes PEM, and this is none, or is cut short")
    return [_read_pem(algorithm, pem[0], pem[1]) for pem in blocks]


def public_half(key: PrivateKey | PublicKey | bytes) -> PublicKey | bytes:
    """What verifies the signatures of ``key``; an HMAC secret does so itself."""
    return key.public_key() if isinstance(key, PrivateKey) else key


def _read_secret(algorithm: str, text: str) -> bytes:
    secret, least = text.encode(), hash_length(algorithm)
    if len(secret) < least:
        raise UnfitKey(f"{algorithm} takes {least} bytes or more; it has {len(secret)}")
    if text.startswith("JWT_"):
        raise UnfitKey("it begins with the name of a variable; take what follows the =")
    if PLACEHOLDER.search(text) or len(set(text)) < 10:
        raise UnfitKey("it looks like a placeholder")
    return secret


def _read_pem(algorithm: str, pem: str, label: str) -> Any:
    if "CERTIFICATE" in label:
        raise UnfitKey("it is a certificate; take the key alone")
    if "ENCRYPTED" in pem:
        raise UnfitKey("it is encrypted; take it without a passphrase")
    key: Any
    try:
        if "PUBLIC" in label:
            key = public = serialization.load_pem_public_key(pem.encode())
        else:
            key = serialization.load_pem_private_key(pem.encode(), password=None)
            public = key.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnfitKey(f"it is no {label.lower()} that can be read") from None
    if algorithm in CURVES:
        fits = isinstance(getattr(public, "curve", None), type(CURVES[algorithm]))
        wanted = f"a key on the curve {CURVES[algorithm].name}"
    elif algorithm == "EdDSA":
        fits, wanted = isinstance(public, ed25519.Ed25519PublicKey), "an Ed25519 key"
    else:
        fits = isinstance(public, rsa.RSAPublicKey) and public.key_size >= 2048
        wanted = "an RSA key of at least 2048 bits"
    if not fits:
        raise UnfitKey(f"{algorithm} takes {wanted}")
    return key
