"""Several machines behind one proxy are one service, while parts come and go.

These need nginx, PostgreSQL's programs, and some minutes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from cluster import BROKEN, CLIENTS, Cluster, Load, Postgres
from servers import PASSWORD, Project, eventually

pytestmark = [pytest.mark.full, pytest.mark.xdist_group("cluster")]

#: How long the clients work in each phase of a test.
SECONDS = int(os.environ.get("CLUSTER_SECONDS", "60"))

ADD_USERS = """
from users.models import User
for number in range({count}):
    User.objects.create_user(f"person{{number}}", password={password!r})
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    postgres = Postgres()
    try:
        postgres.start()
        project = Project(folder / "project", postgres.url, algorithm="ES256")
        project.environment |= {
            "JWT_SIGNING_KEY": new_key(project),
            "TRUSTED_PROXIES": "1",
        }
        project.add_user()
        project.manage(
            "shell", "-c", ADD_USERS.format(count=CLIENTS, password=PASSWORD)
        )
        with Cluster(project, folder, postgres).running(folder / "nginx") as it:
            yield it
    finally:
        postgres.remove()


def new_key(project: Project) -> str:
    """Make a signing key, as an operator does."""
    return project.manage("generate_signing_key").partition("=")[2].strip()


def test_a_session_lives_and_ends_on_all_machines_at_once(cluster: Cluster) -> None:
    one, two, three = cluster.machines
    first = one.login()
    second = two.refresh(first["refresh"]).body
    assert three.post("/api/token/blacklist/", refresh=second["refresh"]).status == 200
    for machine in cluster.machines:
        assert machine.get("/api/users/me/", second["access"]).status == 401
        assert machine.refresh(second["refresh"]).status == 401


def test_failures_on_all_machines_are_counted_together(cluster: Cluster) -> None:
    wrong = [
        cluster.machines[number % 3].post("/api/token/", username="eve", password="x")
        for number in range(12)
    ]
    assert [answer.status for answer in wrong] == [401] * 10 + [429] * 2


def test_under_load_machines_die_and_stop_without_a_lost_request(
    cluster: Cluster,
) -> None:
    one, two, _ = cluster.machines
    with Load(cluster.port) as load:
        time.sleep(SECONDS)
        calm = load.answers
        two.stop()
        time.sleep(SECONDS / 4)
        two.start()
        stopped = load.answers
        one.kill()
        time.sleep(SECONDS / 4)
        one.start()
    print(f"calm: {calm}, with a stop: {stopped}, and a kill: {load.answers}")
    assert set(stopped) == {200}
    assert set(load.answers) <= {200, BROKEN}


def test_a_rolling_key_rotation_loses_no_request(cluster: Cluster) -> None:
    old = cluster.project.environment["JWT_SIGNING_KEY"]
    new = new_key(cluster.project)
    steps = [
        {"JWT_SIGNING_KEY": old, "JWT_VERIFYING_KEYS": new},
        {"JWT_SIGNING_KEY": new, "JWT_VERIFYING_KEYS": old},
        {"JWT_SIGNING_KEY": new, "JWT_VERIFYING_KEYS": ""},
    ]
    with Load(cluster.port) as load:
        for step in steps:
            load.until_all_refresh()
            for machine in cluster.machines:
                machine.restart(**step)
            cluster.project.environment |= step
    print(f"rotation: {load.answers}")
    assert set(load.answers) == {200}


def test_while_postgresql_restarts_answers_are_503_and_then_all_is_well(
    cluster: Cluster,
) -> None:
    with Load(cluster.port) as load:
        load.until_all_refresh()
        cluster.postgres.stop()
        time.sleep(4)
        assert {m.get("/health/ready/").status for m in cluster.machines} == {503}
        assert {m.get("/health/live/").status for m in cluster.machines} == {200}
        cluster.postgres.start()
        load.until_all_refresh()
        before = load.answers
        load.until_all_refresh()
        after = load.answers
    print(f"restart: {after}")
    assert set(after) == {200, 503}
    assert set(after - before) == {200}


def test_a_machine_starts_while_postgresql_is_away(cluster: Cluster) -> None:
    machine = cluster.machines[0]
    cluster.postgres.stop()
    machine.restart()
    login = ("/api/token/", {"username": "ada", "password": PASSWORD})
    answers = machine.at_once(*[login] * 12)
    assert {answer.status for answer in answers} == {503}
    assert all(answer.body["detail"] for answer in answers)
    cluster.postgres.start()
    eventually(lambda: machine.get("/health/ready/").status == 200)
    assert machine.login()  # none of the twelve counted as a wrong guess
