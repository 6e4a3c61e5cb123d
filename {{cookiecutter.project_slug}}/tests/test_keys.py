"""Keys: every algorithm, in every form, and how they are told apart."""

from datetime import date
from uuid import UUID

from cryptography.hazmat.primitives.serialization import PrivateFormat

from tests.conftest import Login, UseKeys, each, is_alive, key_for, payload, refreshed
from tests.forge import header_of, pem, public_pem
from tokens.algorithms import ALGORITHMS, read_keys
from tokens.keys import KeyRing, key_ring, thumbprint, token_backend


@each("algorithm", *ALGORITHMS)
def test_every_algorithm_serves_every_path(login: Login, use_keys: UseKeys, algorithm: str) -> None:
    """And no token of another is good any more."""
    before = login()
    use_keys(key_for(algorithm), algorithm=algorithm)
    pair = refreshed(login())
    assert is_alive(pair)
    assert not is_alive(before)
    assert header_of(pair["access"])["alg"] == header_of(pair["refresh"])["alg"] == algorithm


def test_a_thumbprint_is_that_of_rfc_7638() -> None:
    """The example of RFC 8037, appendix A.3."""
    key = {"x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kty": "OKP", "crv": "Ed25519"}
    assert thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@each("algorithm", "RS256", "ES384", "EdDSA")
def test_keys_are_read_in_every_form(algorithm: str) -> None:
    """As one line of base64, and as PEM with real and escaped line ends, mixed."""
    [key], [second] = (
        read_keys(algorithm, key_for(algorithm, name)) for name in ("first", "second")
    )
    public, private = public_pem(second), key_for(algorithm)
    escaped = public.replace("\n", "\\n")
    ring = KeyRing(algorithm, private, f"\n{public}{private}\n{escaped}")
    assert [key.signing is None for key in ring.keys] == [False, True, False, True]
    assert ring.keys[0].kid == ring.keys[2].kid != ring.keys[1].kid == ring.keys[3].kid
    if algorithm != "EdDSA":
        parameters = "-----BEGIN EC PARAMETERS-----\nBg==\n-----END EC PARAMETERS-----\n"
        legacy = parameters + pem(key, PrivateFormat.TraditionalOpenSSL)
        assert KeyRing(algorithm, legacy, "").signing.kid == ring.signing.kid


def test_secrets_are_read_line_by_line() -> None:
    """And name no key; every one is tried."""
    first, second, third = (key_for("HS256", name) for name in ("1", "2", "3"))
    ring = KeyRing("HS256", f" {first}\n", f"{second}\r\n\n{third}\n")
    assert [key.verifying.decode() for key in ring.keys] == [first, second, third]
    assert {key.kid for key in ring.keys} == {None}
    assert ring.candidates({}) == ring.keys
    assert ring.candidates({"kid": None}) == ring.candidates({"kid": "1"}) == []


def test_dates_and_uuids_are_signed_as_text() -> None:
    values = {"since": date(2026, 2, 3), "tenant": UUID(int=1)}
    claims = payload(token_backend().encode(values))
    assert claims.items() >= {name: str(value) for name, value in values.items()}.items()


def test_keys_are_parsed_once() -> None:
    assert key_ring() is key_ring()
