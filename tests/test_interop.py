"""Each of the thirteen algorithms, chosen by hand in one rendered project.

The tokens are verified by two libraries that the rendered project does not use.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import SETTINGS
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey
from servers import Project, RemoteKeys, Server, database_with_user, install_jose

#: Settings that create a fitting key at the first start.
DEVELOPMENT = {"DJANGO_SETTINGS_MODULE": "config.settings.development"}

JWKS = "/.well-known/jwks.json"
EACH_FAMILY = {"HS256", "RS256", "PS256", "ES256", "EdDSA"}

ALGORITHMS = [
    pytest.param(name, marks=() if name in EACH_FAMILY else pytest.mark.full)
    for name in SETTINGS["algorithm"]
]
HMAC = [param for param in ALGORITHMS if str(param.values[0]).startswith("HS")]
ASYMMETRIC = [param for param in ALGORITHMS if param not in HMAC]
OF_PUBLIC_KEYS = pytest.mark.parametrize("algorithm", ASYMMETRIC, indirect=True)
OF_SECRETS = pytest.mark.parametrize("algorithm", HMAC, indirect=True)


def choose(project: Project, algorithm: str) -> None:
    project.edit("config/jwt.py", r'(?<="ALGORITHM": ")\w+', algorithm)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with database_with_user("sqlite", tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture(scope="module")
def project(database: str, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("project"), database)


@pytest.fixture(scope="module", params=ALGORITHMS)
def algorithm(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def server(project: Project, algorithm: str) -> Iterator[Server]:
    choose(project, algorithm)
    with project.serve(DEVELOPMENT, workers=1) as server:
        yield server


@pytest.fixture(scope="module")
def jose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_jose(tmp_path_factory.mktemp("jose"))


def verify_with_joserfc(token: str, keys: KeySet | OctKey, algorithm: str) -> None:
    genuine = jwt.decode(token, keys, algorithms=[algorithm])
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": "my_api"},
        aud={"essential": True, "value": "my_api"},
    ).validate(genuine.claims)


def test_login_refresh_verify_and_access_work(server: Server) -> None:
    answer = server.refresh(server.login()["refresh"])
    assert answer.status == 200
    for token in (answer.body["access"], answer.body["refresh"]):
        assert server.accepts(token)
    assert server.opens_to(answer.body["access"])


# joserfc warns of the name EdDSA, for which RFC 9864 has a narrower one.
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@OF_PUBLIC_KEYS
def test_joserfc_verifies_through_the_key_set(server: Server, algorithm: str) -> None:
    keys = KeySet.import_key_set(server.get(JWKS).body)
    for token in server.login().values():
        verify_with_joserfc(token, keys, algorithm)


@OF_PUBLIC_KEYS
def test_jose_on_node_verifies_through_the_key_set(server: Server, jose: Path) -> None:
    with RemoteKeys(jose, server) as keys:
        for token in server.login().values():
            assert keys.read(token)["iss"] == "my_api"


@OF_SECRETS
def test_a_secret_is_never_published(server: Server) -> None:
    assert server.get(JWKS).status == 404


@OF_SECRETS
def test_joserfc_verifies_with_the_secret(
    server: Server, project: Project, algorithm: str
) -> None:
    file = project.folder / ".local" / f"jwt-signing-key-{algorithm}"
    secret = OctKey.import_key(file.read_text("utf-8"))
    for token in server.login().values():
        verify_with_joserfc(token, secret, algorithm)


def test_a_change_of_algorithm_by_hand_refuses_the_old_tokens(
    database: str, tmp_path: Path
) -> None:
    project = Project(tmp_path, database, algorithm="HS256")
    with project.serve(DEVELOPMENT, workers=1) as server:
        old = server.login()
        assert server.opens_to(old["access"])
    choose(project, "ES256")
    with project.serve(DEVELOPMENT, workers=1) as server:
        assert server.opens_to(server.login()["access"])
        assert not server.opens_to(old["access"])
        assert not any(map(server.accepts, old.values()))
        assert server.refresh(old["refresh"]).status == 401
