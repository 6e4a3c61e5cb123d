"""Promises 9 to 12: keys are fit, kept secret or published, and can be replaced.

They are tested for every algorithm, not only for the one that the project uses.
"""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed448, rsa
from django.conf import settings as current
from jwt.utils import base64url_decode
from pytest_django import Settings
from rest_framework.test import APIClient
from rest_framework_simplejwt.settings import api_settings

from tests.conftest import Login, UseKeys, each, is_alive, key_for
from tests.forge import REFUSED, answers, forge, header_of, pem, public_pem
from tests.production import python
from tests.test_keys import only_error
from tokens.algorithms import ALGORITHMS, generate_key, is_hmac, read_keys
from tokens.keys import KeyRing

[RSA_KEY] = read_keys("RS256", key_for("RS256"))
PUBLIC_PEM = public_pem(RSA_KEY)
PUBLIC_DER = "".join(PUBLIC_PEM.splitlines()[1:-1])
URL_SAFE = str.maketrans("+/", "-_")
PLACEHOLDER = "change-me-" * 5

# Keys that nobody should sign or verify with.
UNFIT = {
    "a placeholder": ("HS256", PLACEHOLDER),
    "a variable": ("HS256", "JWT_SIGNING_KEY=" + key_for("HS256")),
    "a key that Django made": ("HS256", "django-insecure-" + key_for("HS256")),
    "a monotonous secret": ("HS256", "ab" * 32),
    "a short secret": ("HS512", key_for("HS256")),
    "one of two secrets short": ("HS256", key_for("HS256") + "\nshort"),
    "PEM for HS256": ("HS256", PUBLIC_PEM),
    "DER for HS256": ("HS256", key_for("ES256")),
    "public DER for HS256": ("HS256", PUBLIC_DER),
    "URL-safe DER for HS256": ("HS256", PUBLIC_DER.translate(URL_SAFE).rstrip("=")),
    "a secret for RS256": ("RS256", key_for("HS256")),
    "truncated DER": ("ES256", key_for("ES256")[:100]),
    "damaged DER": ("ES256", key_for("ES256").replace("M", "N", 1)),
    "truncated PEM": ("RS256", PUBLIC_PEM[:300]),
    "encrypted PEM": ("RS256", pem(RSA_KEY, passphrase=b"passphrase")),
    "a certificate": ("RS256", PUBLIC_PEM.replace("PUBLIC KEY", "CERTIFICATE")),
    "RSA with 1024 bits": ("RS256", pem(rsa.generate_private_key(65537, 1024))),
    "P-256 for ES384": ("ES384", key_for("ES256")),
    "Ed25519 for RS256": ("RS256", key_for("EdDSA")),
    "RSA for EdDSA": ("EdDSA", key_for("RS256")),
    "Ed448": ("EdDSA", pem(ed448.Ed448PrivateKey.generate())),
}


@each("variable", "JWT_SIGNING_KEY", "JWT_VERIFYING_KEYS")
@pytest.mark.parametrize(("algorithm", "key"), UNFIT.values(), ids=UNFIT)
def test_9_an_unfit_key_is_an_error_that_names_its_variable(
    use_keys: UseKeys, algorithm: str, key: str, variable: str
) -> None:
    """It is one line that does not show the key, for every key of the ring."""
    signing = variable == "JWT_SIGNING_KEY"
    use_keys(*(key, "") if signing else (key_for(algorithm), key), algorithm)
    message = only_error(6)
    assert message.startswith(f"{variable}: ")
    assert "\n" not in message
    assert key[:20] not in message


@pytest.mark.parametrize(
    ("algorithm", "key", "what"),
    [
        *(("HS256", "", "holds 0"), ("ES256", " \n", "holds 0"), ("RS256", PUBLIC_PEM, "public")),
        ("HS256", key_for("HS256") + "\n" + key_for("HS256", "second"), "holds 2"),
        ("RS256", key_for("RS256") + "\n" + PUBLIC_PEM, "holds 2"),
    ],
    ids=["no secret", "no PEM", "public PEM", "two secrets", "two keys"],
)
def test_9_one_private_key_signs(use_keys: UseKeys, algorithm: str, key: str, what: str) -> None:
    use_keys(key, algorithm=algorithm)
    message = only_error(6)
    assert message.startswith("JWT_SIGNING_KEY: ")
    assert what in message


@pytest.mark.parametrize("key", ["", PLACEHOLDER, "s3cR#t!"])
def test_9_an_unfit_key_stops_the_start_in_production(key: str) -> None:
    """The server exits with one line that names the variable, without a traceback."""
    started = python("-c", "import config.wsgi", JWT_SIGNING_KEY=key)
    assert started.returncode == 1
    [line] = started.stderr.splitlines()
    assert line.startswith("JWT_SIGNING_KEY")


@each("algorithm", *ALGORITHMS)
def test_9_a_generated_key_is_fit_for_its_algorithm(algorithm: str) -> None:
    """See RFC 7518 section 3.2 to 3.5. RSA keys have 3072 bits."""
    text = generate_key(algorithm)
    key = KeyRing(algorithm, text, "").signing.signing
    if is_hmac(algorithm):
        assert len(base64url_decode(text)) * 8 >= int(algorithm[2:])
    assert getattr(key, "key_size", 3072) >= 3072 or algorithm.startswith("ES")


@each("algorithm", "HS256", "HS384", "HS512")
def test_10_the_secret_key_signs_no_token(token: str, algorithm: str) -> None:
    """A leak of ``SECRET_KEY`` gives access to no account."""
    forged = forge(token, {"alg": algorithm}, current.SECRET_KEY, algorithm)
    assert answers(forged) == REFUSED


@each("position", 0, 1)
def test_10_no_key_is_the_secret_key(use_keys: UseKeys, settings: Settings, position: int) -> None:
    """It is neither the current nor a former ``SECRET_KEY``."""
    keys = [key_for("HS256"), key_for("HS256", "second")]
    use_keys(*keys, "HS256")
    settings.SECRET_KEY_FALLBACKS = [keys[position]]
    assert "SECRET_KEY" in only_error(8)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [], keys[position]
    assert "SECRET_KEY" in only_error(8)


# The members of a public key (RFC 7518 section 6, RFC 8037 section 2).
MEMBERS = {"RSA": {"n", "e"}, "EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}}


@each("algorithm", "RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA")
def test_11_tokens_verify_by_the_published_keys_alone(
    client: APIClient, login: Login, use_keys: UseKeys, algorithm: str
) -> None:
    """``kid`` names the key, and no private member is published (RFC 7517).

    That includes keys that only verify, which may be configured as private keys.
    """
    use_keys(key_for(algorithm), key_for(algorithm, "second"), algorithm)
    response = client.get("/.well-known/jwks.json")
    assert "max-age" in response["Cache-Control"]
    first, second = response.json()["keys"]
    for key in (first, second):
        assert key.keys() == MEMBERS[key["kty"]] | {"kty", "use", "alg", "kid"}
        assert (key["use"], key["alg"]) == ("sig", algorithm)
    pair = login()
    for token in (pair["access"], pair["refresh"]):
        assert header_of(token)["kid"] == first["kid"]
        names = {"audience": api_settings.AUDIENCE, "issuer": api_settings.ISSUER}
        jwt.decode(token, jwt.PyJWK(first), algorithms=[algorithm], **names)


def test_11_a_secret_is_not_published(client: APIClient, login: Login, use_keys: UseKeys) -> None:
    """Tokens do not name it either: a name must not be derived from a secret."""
    use_keys(key_for("HS256"), algorithm="HS256")
    assert client.get("/.well-known/jwks.json").status_code == 404
    assert "kid" not in header_of(login()["access"])


@each("algorithm", "HS256", "RS256", "ES256", "EdDSA")
def test_12_a_rotation_loses_no_token(login: Login, use_keys: UseKeys, algorithm: str) -> None:
    """While machines are restarted one by one, each accepts the other's tokens."""
    old, new = key_for(algorithm), key_for(algorithm, "second")
    steps = [(old, ""), (old, new), (new, old), (new, "")]
    issued, accepted = [], []
    for step in steps:
        use_keys(*step, algorithm)
        issued.append(login())
    for step in steps:
        use_keys(*step, algorithm)
        accepted.append([is_alive(pair) for pair in issued])
    everyone = [True] * 4
    assert accepted[1:3] == [everyone, everyone]
    assert accepted[0] == [True, True, False, False]
    assert accepted[3] == [False, False, True, True]
