"""The two statements of the hot path return what the ORM returns, from the same database."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from tests.conftest import Login, each, is_alive, logout, refreshed
from tokens import lookup, sessions
from tokens.models import LoginSession, Now
from users.models import User
from users.throttling import Attempt, login_limits


@pytest.fixture
def session(user: User) -> LoginSession:
    """Return a session that was refreshed once."""
    started = sessions.start(user, address="2001:db8::1", user_agent="Browser")
    assert lookup.advance(started.pk, 0)
    return LoginSession.objects.select_related("user").defer(*lookup.SHOWN).get()


def told(session: LoginSession) -> list[tuple[str, type, object]]:
    """Return everything that is loaded of a session and its user, with the types."""
    fields = [*vars(session).items(), *vars(session.user).items()]
    return [(name, type(value), value) for name, value in fields if name != "_state"]


def test_the_session_is_what_select_related_gives(session: LoginSession) -> None:
    found = lookup.session_with_user(session.pk)
    assert found
    assert told(found) == told(session)
    for ours, orms in ((found, session), (found.user, session.user)):
        assert (ours._state.db, ours._state.adding) == (orms._state.db, orms._state.adding)
    LoginSession.objects.all().delete()
    assert lookup.session_with_user(session.pk) is None


@each("state", {}, {"seq": 0}, {"seq": 2}, {"revoked": 0}, {"expires": 0}, {"expires": 1})
def test_the_refresh_is_what_update_does(session: LoginSession, state: dict[str, int]) -> None:
    """Only a live session with number 1 is changed. Times are seconds from now."""
    now = timezone.now()
    times = {name: now + timedelta(seconds=state[name]) for name in state.keys() - {"seq"}}
    LoginSession.objects.update(**state | times)

    def orm() -> int:
        live = LoginSession.objects.live().filter(pk=session.pk, seq=1)
        return live.update(seq=F("seq") + 1, rotated=Now())

    def outcome(update: Callable[[], object]) -> dict[str, Any]:
        with transaction.atomic():
            done = bool(update())
            row = {"done": done, **LoginSession.objects.values().get()}
            transaction.set_rollback(True)
        return row

    before, ours, after = map(outcome, (orm, lambda: lookup.advance(session.pk, 1), orm))
    rotated = ours["rotated"]
    assert before.pop("rotated") <= rotated <= after["rotated"]
    assert ours == before | {"rotated": rotated}
    assert ours["done"] is (state in ({}, {"expires": 1}))


class Replica:
    """A router that reads from another database, which has no tables."""

    def db_for_read(self, model: type, **hints: object) -> str:
        return "replica"

    def db_for_write(self, model: type, **hints: object) -> str:
        return "default"


def test_a_replica_answers_for_no_session_and_counts_no_failure(
    login: Login, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair, user = login(), User.objects.get()
    settings.DATABASE_ROUTERS = [Replica()]
    settings.REFRESH_GRACE_PERIOD = timedelta(minutes=1)
    monkeypatch.setattr("tokens.tokens.claims_for", lambda user: {})
    refreshed(pair)
    assert is_alive(refreshed(pair))
    assert sessions.live_for(user).count() == 1
    logout(pair["refresh"])
    assert not is_alive(pair)
    Attempt.begin(login_limits("ada", "192.0.2.1")).succeeded()
