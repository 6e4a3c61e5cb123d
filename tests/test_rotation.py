"""Rotating the signing key of two machines, in three steps that nobody notices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from servers import Project, RemoteKeys, Server, database_with_user, install_jose, kid


class Fleet:
    """Two servers of one project, and a client who stays logged in.

    While one restarts, the other one does its work, and after each restart both must
    accept what either of them has issued. They run in the stacks ``running``.
    """

    def __init__(
        self, project: Project, running: list[ExitStack], keys: dict[str, str]
    ) -> None:
        self.project = project
        self.running = running
        self.servers = [self._start(stack, 0, keys) for stack in running]
        self.pair = self.servers[0].login()

    def switch_to(self, keys: dict[str, str]) -> None:
        """Restart the servers with other keys, one after the other."""
        for number, stack in enumerate(self.running):
            stack.close()
            self._work(self.servers[1 - number])
            self.servers[number] = self._start(stack, self.servers[number].port, keys)
            self._work(*self.servers)

    def _start(self, stack: ExitStack, port: int, keys: dict[str, str]) -> Server:
        server = self.project.serve(keys, workers=1, port=port)
        return stack.enter_context(server)

    def _work(self, *servers: Server) -> None:
        for server in servers:
            answer = server.refresh(self.pair["refresh"])
            assert answer.status == 200
            self.pair = answer.body
            assert all(each.opens_to(self.pair["access"]) for each in servers)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with database_with_user("sqlite", tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture
def project(tmp_path: Path, database: str) -> Project:
    return Project(tmp_path, database)


def new_key(project: Project) -> str:
    return project.manage("generate_signing_key").strip().partition("=")[2]


def published(server: Server) -> set[str]:
    answer = server.get("/.well-known/jwks.json")
    return {key["kid"] for key in answer.body["keys"]}


def test_a_rotation_in_three_steps_is_noticed_by_nobody(
    project: Project, tmp_path: Path
) -> None:
    project.edit("config/jwt.py", "HS256", "ES256")
    old, new = new_key(project), new_key(project)
    with ExitStack() as one, ExitStack() as other, ExitStack() as clients:
        fleet = Fleet(project, [one, other], {"JWT_SIGNING_KEY": old})
        jose = RemoteKeys(install_jose(tmp_path), fleet.servers[1])
        clients.enter_context(jose)
        first = fleet.pair["access"]
        assert "refused" not in jose.read(first)
        assert published(fleet.servers[1]) == {kid(first)}

        fleet.switch_to({"JWT_SIGNING_KEY": old, "JWT_VERIFYING_KEYS": new})
        both = published(fleet.servers[1])
        assert len(both) == 2
        assert kid(fleet.pair["access"]) == kid(first)

        fleet.switch_to({"JWT_SIGNING_KEY": new, "JWT_VERIFYING_KEYS": old})
        assert published(fleet.servers[1]) == both
        assert {kid(token) for token in fleet.pair.values()} == both - {kid(first)}
        assert "refused" not in jose.read(fleet.pair["access"])

        fleet.switch_to({"JWT_SIGNING_KEY": new})
        assert published(fleet.servers[1]) == both - {kid(first)}


@pytest.mark.parametrize(
    "algorithm", ["ES256", pytest.param("HS256", marks=pytest.mark.full)]
)
def test_a_key_that_is_removed_takes_its_tokens_along(
    project: Project, algorithm: str
) -> None:
    project.edit("config/jwt.py", "HS256", algorithm)
    old, new = new_key(project), new_key(project)
    with project.serve({"JWT_SIGNING_KEY": old}, workers=1) as server:
        pair = server.login()
    with project.serve(
        {"JWT_SIGNING_KEY": new, "JWT_VERIFYING_KEYS": old}, workers=1
    ) as server:
        assert all(map(server.accepts, pair.values()))
    with project.serve({"JWT_SIGNING_KEY": new}, workers=1) as server:
        assert not any(map(server.accepts, pair.values()))
        assert not server.opens_to(pair["access"])
        assert server.refresh(pair["refresh"]).status == 401
