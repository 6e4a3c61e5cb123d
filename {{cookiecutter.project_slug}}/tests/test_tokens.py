"""Login sessions and their tokens: what they contain, who sees and ends them, their cost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as current
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from pytest_django import Settings
from rest_framework.test import APIClient

from tests.conftest import (
    Clock,
    Login,
    Pair,
    credentials,
    each,
    logged_in,
    logout,
    opens,
    payload,
    refresh,
    refreshed,
    run,
    statements,
    verify,
)
from tests.factories import PASSWORD, UserFactory
from tokens import sessions, tokens
from tokens.models import LoginSession
from tokens.tokens import AccessToken, RefreshToken
from users.models import User


def ask(pair: Pair, method: str = "GET", sid: object = "") -> Any:
    """Return the response to a request for ``/api/sessions/``, or for one of them."""
    path = f"/api/sessions/{sid}/" if sid else "/api/sessions/"
    return logged_in(pair["access"]).generic(method, path)


def sid_of(pair: Pair) -> str:
    return str(payload(pair["access"])["sid"])


# What they contain


def test_a_session_remembers_where_its_login_came_from(client: APIClient, user: User) -> None:
    agent = "Browser\t1 " + "x" * 300
    headers = {"User-Agent": agent}
    client.post("/api/token/", credentials(user), headers=headers, REMOTE_ADDR="2001:db8::7")
    session = LoginSession.objects.get()
    assert session.address == "2001:db8::7"
    assert session.user_agent == agent.replace("\t", "")[:255]
    assert str(session) == f"{user} from 2001:db8::7"
    assert "unknown" in str(sessions.start(user))


def test_a_login_is_remembered_as_the_last(login: Login, user: User, clock: Clock) -> None:
    other = UserFactory.create()
    for minute in (60, 60):
        clock.shift(minute)
        login()
        user.refresh_from_db()
        assert user.last_login == timezone.now()
    other.refresh_from_db()
    assert other.last_login is None


@each("in_token", True, False)
@each("in_answer", True, False)
def test_extra_claims_go_where_the_settings_say_and_are_fresh(
    login: Login,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    in_token: bool,
    in_answer: bool,
) -> None:
    settings.EXTRA_CLAIMS_IN_TOKEN, settings.EXTRA_CLAIMS_IN_RESPONSE = in_token, in_answer
    monkeypatch.setattr(tokens, "claims_for", lambda user: {"staff": user.is_staff})
    User.objects.update(is_staff=True)
    answer = login()
    assert payload(answer["access"]).get("staff") is (True if in_token else None)
    assert answer.get("staff") is (True if in_answer else None)
    User.objects.update(is_staff=False)
    access = refreshed(answer)["access"]
    assert payload(access).get("staff") is (False if in_token else None)


@pytest.mark.django_db(transaction=True)
def test_a_user_deleted_meanwhile_is_unknown(
    client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = UserFactory.create()
    wrong, right = credentials(user, "wrong"), credentials(user)
    check_password = User.check_password

    def delete_after(self: User, raw_password: str) -> bool:
        right = check_password(self, raw_password)
        User.objects.all().delete()
        return right

    unknown = client.post("/api/token/", wrong)
    monkeypatch.setattr(User, "check_password", delete_after)
    answer = client.post("/api/token/", right)
    assert (answer.status_code, answer.json()) == (401, unknown.json())


def test_verify_says_yes_to_tokens_that_are_good_and_changes_nothing(login: Login) -> None:
    pair = login()
    row = LoginSession.objects.values().get()
    for kind in ("access", "refresh", "refresh"):
        answer = verify(pair[kind])
        assert (answer.status_code, answer.json()) == (200, {})
    assert LoginSession.objects.values().get() == row


# Who sees and ends them


def test_the_list_tells_what_there_is_to_know_of_a_session(login: Login) -> None:
    """The time of the last use is from the database's clock, which does not stop."""
    pair = refreshed(login())
    session = LoginSession.objects.get()
    assert abs(session.rotated - timezone.now()) < timedelta(minutes=1)
    [item] = ask(pair).json()
    times = [parse_datetime(item.pop(name)) for name in ("created", "last_used")]
    assert times == [session.created, session.rotated]
    place = {"user_agent": "", "address": "127.0.0.1"}
    assert item == {"id": str(session.pk), "current": True, **place}


def test_the_list_holds_the_callers_live_sessions_only(login: Login) -> None:
    login(UserFactory.create())
    ended, over, other, mine = login(), login(), login(), login()
    logout(ended["refresh"])
    LoginSession.objects.filter(pk=sid_of(over)).update(expires=timezone.now())
    assert not opens(over["access"])
    current = {item["id"]: item["current"] for item in ask(mine).json()}
    assert current == {sid_of(other): False, sid_of(mine): True}
    User.objects.update(password=make_password(PASSWORD))  # not by the API
    [only] = ask(new := login()).json()
    assert only["id"] == sid_of(new)


def test_a_caller_may_come_without_a_token(client: APIClient, login: Login, user: User) -> None:
    login()
    client.force_authenticate(user)
    assert client.get("/api/users/me/").status_code == 200
    assert [item["current"] for item in client.get("/api/sessions/").json()] == [False]
    assert client.delete("/api/sessions/").status_code == 204
    assert client.get("/api/sessions/").json() == []


def test_a_session_ends_once(user: User, clock: Clock) -> None:
    sessions.start(user)
    assert LoginSession.objects.revoke() == 1
    end = LoginSession.objects.get().revoked
    clock.shift(60)
    assert LoginSession.objects.revoke() == 0
    assert LoginSession.objects.get().revoked == end


def test_one_device_is_logged_out(login: Login) -> None:
    lost, kept, others = login(), login(), login(UserFactory.create())
    assert ask(kept, "DELETE", sid_of(lost)).status_code == 204
    for sid in (sid_of(lost), sid_of(others), uuid4(), "1"):
        assert ask(kept, "DELETE", sid).status_code == 404
    assert [opens(pair["access"]) for pair in (lost, kept, others)] == [False, True, True]
    assert refresh(lost["refresh"]).status_code == 401


def test_all_devices_are_logged_out_and_nobody_elses(login: Login) -> None:
    pairs = [login(), login(), login(UserFactory.create())]
    assert ask(pairs[0], "DELETE").status_code == 204
    assert [opens(pair["access"]) for pair in pairs] == [False, False, True]


# Tokens that your code creates


def test_an_access_token_alone_cannot_be_made(user: User) -> None:
    with pytest.raises(TypeError, match="RefreshToken"):
        AccessToken.for_user(user)


def test_a_service_may_have_a_longer_session_than_people(user: User) -> None:
    long = current.SESSION_LIFETIME * 3
    access = RefreshToken.for_user(user, lifetime=long).access_token
    access.set_exp(lifetime=long - timedelta(seconds=1))
    assert opens(str(access))
    said = payload(str(access))
    assert timedelta(seconds=said["exp"] - said["iat"]) == long - timedelta(seconds=1)


def test_a_large_token_is_logged_once_with_the_sizes_of_its_claims(
    user: User,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.EXTRA_CLAIMS_IN_TOKEN = True
    monkeypatch.setattr(AccessToken, "size_is_logged", False)
    monkeypatch.setattr(tokens, "claims_for", lambda user: {"note": "x" * 5000})
    for _ in range(2):
        str(RefreshToken.for_user(user).access_token)
    [record] = caplog.records
    assert "'note': 5000" in record.getMessage()


# What they cost, without transactions, throttling and the last login


REQUESTS: dict[str, tuple[int, Callable[[Pair], object]]] = {
    "a refresh": (2, refreshed),
    "a request": (1, lambda pair: opens(pair["access"])),
    "a logout": (1, lambda pair: logout(pair["refresh"])),
    "a verification of an access token": (1, lambda pair: verify(pair["access"])),
    "a verification of a refresh token": (1, lambda pair: verify(pair["refresh"])),
    "a list of however many sessions": (2, ask),
}


@pytest.mark.parametrize(("number", "send"), REQUESTS.values(), ids=REQUESTS)
def test_statements_are_few(
    login: Login, monkeypatch: pytest.MonkeyPatch, number: int, send: Callable[[Pair], object]
) -> None:
    """A login takes two, and one more for each claim with groups or permissions."""
    monkeypatch.setattr(tokens, "claims_for", lambda user: {})
    with statements() as of_login:
        pair = login()
    login()
    with statements() as counted:
        send(pair)
    assert (len(of_login), len(counted)) == (2, number), counted


def test_a_login_and_1000_refreshes_leave_1_row(user: User) -> None:
    session = sessions.start(user)
    for seq in range(1000):
        sessions.rotate(session.pk, str(user.pk), seq)
    assert LoginSession.objects.get().seq == 1000


# The admin: sessions can be seen and revoked there, but not created or changed

SESSIONS = "admin:tokens_loginsession"


def found(admin_client: Client, **query: str) -> set[LoginSession]:
    """Return what the list of sessions shows."""
    response = admin_client.get(reverse(f"{SESSIONS}_changelist"), query)
    assert response.status_code == 200
    return set(response.context["cl"].result_list)


def test_sessions_are_listed_filtered_and_searched(admin_client: Client, user: User) -> None:
    other = UserFactory.create()
    here = sessions.start(user, address="192.0.2.1")
    there = sessions.start(user, address="2001:db8::2")
    others = sessions.start(other)
    LoginSession.objects.filter(pk=there.pk).revoke()
    assert found(admin_client) == {here, there, others}
    assert found(admin_client, q=user.get_username()) == {here, there}
    assert found(admin_client, q="192.0.2.1") == {here}
    assert found(admin_client, q="nobody") == set()
    assert found(admin_client, revoked__isempty="1") == {here, others}


def test_sessions_are_neither_made_nor_changed(admin_client: Client, user: User) -> None:
    session = sessions.start(user)
    change = reverse(f"{SESSIONS}_change", args=[session.pk])
    assert admin_client.get(reverse(f"{SESSIONS}_add")).status_code == 403
    assert admin_client.get(change).status_code == 200
    assert admin_client.post(change, {"seq": 7}).status_code == 403


@each("permission", "view", "delete")
def test_who_may_delete_sessions_may_revoke_them(login: Login, permission: str) -> None:
    staff, lost, kept = UserFactory.create(is_staff=True), login(), login()
    for codename in {"view_loginsession", f"{permission}_loginsession"}:
        staff.user_permissions.add(Permission.objects.get(codename=codename))
    browser = Client()
    browser.force_login(staff)
    form = {"action": "revoke", "_selected_action": sid_of(lost)}
    page = browser.post(reverse(f"{SESSIONS}_changelist"), form, follow=True).content.decode()
    assert ("Sessions revoked: 1." in page) is (permission == "delete")
    assert opens(lost["access"]) is (permission == "view")
    assert opens(kept["access"])


# Cleaning up


def test_sessions_whose_time_is_over_are_deleted_in_batches(user: User) -> None:
    """A batch has at most 1,000, so that nobody has to wait."""

    def session(number: int) -> LoginSession:
        end = now + timedelta(seconds=number - 2500)
        return LoginSession(user=user, rotated=now, expires=end)

    now = timezone.now()
    LoginSession.objects.bulk_create(map(session, range(2502)))
    with statements() as counted:
        assert run("delete_expired_sessions")[0].startswith("2501 ")
    assert sum(statement.startswith("DELETE") for statement in counted) == 4  # one finds none
    assert LoginSession.objects.count() == LoginSession.objects.live().count() == 1


def test_a_revoked_session_stays_until_its_time_is_over(user: User, clock: Clock) -> None:
    session = sessions.start(user)
    LoginSession.objects.filter(pk=session.pk).revoke()
    assert run("delete_expired_sessions")[0].startswith("0 ")
    clock.move_to(session.expires.timestamp())
    assert run("delete_expired_sessions")[0].startswith("1 ")
