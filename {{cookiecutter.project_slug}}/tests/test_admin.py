"""Sessions in the admin: seen and revoked there, neither made nor changed."""

from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from tests.conftest import Login, each, opens, payload
from tests.factories import UserFactory
from tokens import sessions
from tokens.models import LoginSession
from users.models import User

SESSIONS = "admin:tokens_loginsession"


def found(admin_client: Client, **query: str) -> set[LoginSession]:
    """What the list of sessions shows."""
    response = admin_client.get(reverse(f"{SESSIONS}_changelist"), query)
    assert response.status_code == 200
    return set(response.context["cl"].result_list)


def test_sessions_are_listed_filtered_and_searched(admin_client: Client, user: User) -> None:
    other = UserFactory.create()
    here = sessions.start(user, address="192.0.2.1")
    there = sessions.start(user, address="2001:db8::2")
    others = sessions.start(other)
    sessions.end(there.pk)
    assert found(admin_client) == {here, there, others}
    assert found(admin_client, q=user.get_username()) == {here, there}
    assert found(admin_client, q="192.0.2.1") == {here}
    assert found(admin_client, q="nobody") == set()
    assert found(admin_client, revoked__isempty="1") == {here, others}


def test_sessions_are_revoked(admin_client: Client, login: Login) -> None:
    lost, kept = login(), login()
    sid = payload(lost["access"])["sid"]
    body = {"action": "revoke", "_selected_action": sid}
    page = reverse(f"{SESSIONS}_changelist")
    assert "Revoke the selected sessions" in admin_client.get(page).content.decode()
    answer = admin_client.post(page, body, follow=True)
    assert "Sessions revoked: 1." in answer.content.decode()
    assert not opens(lost["access"])
    assert opens(kept["access"])


def test_sessions_are_neither_made_nor_changed(admin_client: Client, user: User) -> None:
    session = sessions.start(user)
    change = reverse(f"{SESSIONS}_change", args=[session.pk])
    assert admin_client.get(reverse(f"{SESSIONS}_add")).status_code == 403
    assert admin_client.get(change).status_code == 200
    assert admin_client.post(change, {"seq": 7}).status_code == 403


@each("permission", "view", "delete")
def test_who_may_delete_sessions_may_revoke_them(login: Login, permission: str) -> None:
    staff = UserFactory.create(is_staff=True)
    for codename in {"view_loginsession", f"{permission}_loginsession"}:
        staff.user_permissions.add(Permission.objects.get(codename=codename))
    pair = login()
    browser = Client()
    browser.force_login(staff)
    body = {"action": "revoke", "_selected_action": payload(pair["access"])["sid"]}
    browser.post(reverse(f"{SESSIONS}_changelist"), body)
    assert opens(pair["access"]) is (permission == "view")
