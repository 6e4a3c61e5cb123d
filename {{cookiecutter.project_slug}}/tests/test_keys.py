"""Keys: every algorithm, in every form, published and rotated."""

import threading
import time
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from rest_framework.test import APIClient
from rest_framework_simplejwt.exceptions import TokenBackendExpiredToken

from config.local import local_secret
from tests.conftest import Login, UseKeys, key_for, opens, payload, refresh
from tests.forge import header_of
from tokens.algorithms import ALGORITHMS, is_hmac
from tokens.keys import KeyRing, key_ring, thumbprint, token_backend

# Reading RSA keys takes long: where the hash does not matter, one stands for all.
PUBLISHED = ["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"]
FAMILIES = ["HS256", "RS256", "ES256", "EdDSA"]


def pem(algorithm: str, name: str = "first", *, public: bool = False) -> str:
    """A key in the older of the two PEM formats, or its public half."""
    key = serialization.load_der_private_key(b64decode(key_for(algorithm, name)), None)
    if public:
        return (
            key.public_key()
            .public_bytes(
                serialization.Encoding.PEM,
                serialization.PublicFormat.SubjectPublicKeyInfo,
            )
            .decode()
        )
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_serves_every_path(
    client: APIClient, login: Login, use_keys: UseKeys, algorithm: str
) -> None:
    use_keys(key_for(algorithm), algorithm=algorithm)
    pair = refresh(login()["refresh"]).json()
    assert opens(pair["access"])
    for kind in ("access", "refresh"):
        assert header_of(pair[kind])["alg"] == algorithm
        response = client.post("/api/token/verify/", {"token": pair[kind]})
        assert response.status_code == 200
    published = client.get("/.well-known/jwks.json")
    assert published.status_code == (404 if is_hmac(algorithm) else 200)


def test_a_thumbprint_is_that_of_rfc_7638() -> None:
    """The example of its section 3.1."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFF"
        "xuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt"
        "7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6q"
        "MQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHa"
        "Q-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    expected = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert thumbprint({"kty": "RSA", "n": modulus, "e": "AQAB"}) == expected


def test_tokens_of_another_algorithm_are_a_401_after_a_switch(
    client: APIClient, login: Login, use_keys: UseKeys
) -> None:
    use_keys(key_for("HS256"), algorithm="HS256")
    old = login()
    use_keys(key_for("ES256"), algorithm="ES256")
    new = login()
    for pair, alive in ((old, False), (new, True)):
        assert opens(pair["access"]) is alive
        assert refresh(pair["refresh"]).status_code == (200 if alive else 401)


@pytest.mark.parametrize("algorithm", ["RS256", "ES384", "EdDSA"])
def test_keys_are_read_in_every_form(algorithm: str) -> None:
    """As one line of base64, and as PEM with real and escaped line ends, mixed."""
    private, public = key_for(algorithm), pem(algorithm, "second", public=True)
    ring = KeyRing(algorithm, private, f"\n{public}{private}\n{public!r}".replace("'", ""))
    assert [key.signing is None for key in ring.keys] == [False, True, False, True]
    assert ring.keys[0].kid == ring.keys[2].kid
    assert ring.keys[1].kid == ring.keys[3].kid
    if algorithm != "EdDSA":
        parameters = "-----BEGIN EC PARAMETERS-----\nBg==\n-----END EC PARAMETERS-----"
        legacy = KeyRing(algorithm, f"{parameters}\n{pem(algorithm)}", "")
        assert legacy.signing.kid == ring.signing.kid


def test_secrets_are_read_line_by_line() -> None:
    first, second, third = (key_for("HS256", name) for name in ("1", "2", "3"))
    ring = KeyRing("HS256", f" {first}\n", f"{second}\r\n\n{third}\n")
    secrets = [key.verifying.decode() for key in ring.keys]
    assert secrets == [first, second, third]
    assert {key.kid for key in ring.keys} == {None}


def test_hmac_tokens_name_no_key_and_every_key_is_tried() -> None:
    ring = KeyRing("HS256", key_for("HS256", "1"), key_for("HS256", "2"))
    assert ring.candidates({}) == ring.keys
    assert ring.candidates({"kid": None}) == ring.candidates({"kid": "1"}) == []


def test_what_is_over_or_not_yet_valid_is_not_read(clock: time_machine.Traveller) -> None:
    backend, now = token_backend(), int(time.time())
    token = backend.encode({"iat": now, "exp": now + 1, "nbf": now})
    assert backend.decode(token)["nbf"] == now
    clock.shift(1)
    with pytest.raises(TokenBackendExpiredToken):
        backend.decode(token)


def test_dates_and_uuids_are_signed_as_text() -> None:
    values = {"since": date(2026, 2, 3), "tenant": UUID(int=1)}
    claims = payload(token_backend().encode(values))
    assert {name: claims[name] for name in values} == {
        name: str(value) for name, value in values.items()
    }


def test_keys_are_parsed_once() -> None:
    assert key_ring() is key_ring()


def test_a_local_secret_is_one_for_all_who_start_at_once(tmp_path: Path) -> None:
    workers = 8
    barrier = threading.Barrier(workers)

    def start(path: Path) -> str:
        barrier.wait()
        return local_secret(path, lambda: str(uuid4()))

    with ThreadPoolExecutor(workers) as pool:
        for number in range(10):
            path = tmp_path / "local" / str(number)
            assert len(set(pool.map(start, [path] * workers))) == 1
            assert local_secret(path, str) == path.read_text()
            assert path.stat().st_mode & 0o077 == 0
    assert len(list((tmp_path / "local").iterdir())) == 10
