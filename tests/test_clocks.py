"""Two machines whose clocks differ, and one database between them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from servers import Project, Server, claims, database_with_user

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
GRACE = 3  # seconds

pytestmark = [
    pytest.mark.skipif(LIBRARY is None, reason="faketime is not installed"),
    pytest.mark.parametrize("machines", [45], indirect=True, ids=["postgresql"]),
]


def clock(seconds: int) -> dict[str, str]:
    """Return a command that sets a machine's clock ahead."""
    offset = {"FAKETIME": f"{seconds:+}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return {"LD_PRELOAD": str(LIBRARY), **offset}


@pytest.fixture(scope="module")
def machines(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    """Serve one project twice; the second clock is some seconds ahead."""
    folder = tmp_path_factory.mktemp("machines")
    with ExitStack() as stack:
        url = stack.enter_context(database_with_user("postgresql", folder))
        project = Project(folder / "project", url)
        project.edit(
            "config/jwt.py", r"timedelta\(seconds=10\)", f"timedelta(seconds={GRACE})"
        )
        slow = stack.enter_context(project.serve(workers=1))
        fast = stack.enter_context(project.serve(clock(request.param), workers=1))
        yield slow, fast


def test_a_token_of_either_machine_opens_both(machines: tuple[Server, Server]) -> None:
    for maker in machines:
        pair = maker.login()
        ahead = claims(pair["access"])["iat"] - time.time()
        assert 40 < ahead < 50 if maker is machines[1] else ahead < 2
        for reader in machines:
            assert reader.opens_to(pair["access"])
            assert reader.accepts(pair["refresh"])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_tabs_at_two_machines_live_on(
    machines: tuple[Server, Server], order: tuple[int, int]
) -> None:
    token = machines[0].login()["refresh"]
    answers = [machines[number].refresh(token) for number in order]
    assert [answer.status for answer in answers] == [200, 200]
    assert {claims(answer.body["refresh"])["seq"] for answer in answers} == {1}
    assert machines[1].opens_to(answers[0].body["access"])


def test_a_reuse_after_the_grace_period_ends_the_session(
    machines: tuple[Server, Server],
) -> None:
    token = machines[1].login()["refresh"]
    pair = machines[1].refresh(token).body
    time.sleep(GRACE + 0.5)
    assert machines[0].refresh(token).status == 401
    assert not machines[1].opens_to(pair["access"])
