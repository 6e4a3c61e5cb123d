"""Accounts: ``/api/users/me/`` and ``/api/users/me/password/``."""

import json
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from tests.conftest import Login, authorization, credentials, opens, refresh, statements
from tests.factories import PASSWORD, UserFactory
from users.models import User
from users.serializers import UserSerializer

NEW_PASSWORD = "another Passphrase, 8"


def me(client: APIClient, access: str, **changes: str) -> Any:
    """``GET`` or, with changes, ``PATCH /api/users/me/``."""
    headers = authorization(access)
    if changes:
        return client.patch("/api/users/me/", changes, headers=headers)
    return client.get("/api/users/me/", headers=headers)


def change_password(client: APIClient, access: str, current: str, new: str) -> Any:
    body = {"current_password": current, "new_password": new}
    return client.post("/api/users/me/password/", body, headers=authorization(access))


def test_me_is_the_account_that_the_token_belongs_to(
    client: APIClient, login: Login, user: User
) -> None:
    UserFactory.create()
    answer = me(client, login()["access"])
    user.refresh_from_db()
    assert answer.json() == UserSerializer(user).data
    assert answer.json()["id"] == user.pk
    assert answer.json()[User.USERNAME_FIELD] == user.get_username()


@pytest.mark.parametrize(
    ("current", "new"), [("\ud800", NEW_PASSWORD), (PASSWORD, f"{NEW_PASSWORD}\ud800")]
)
def test_a_password_that_is_no_text_is_refused(
    client: APIClient, login: Login, user: User, current: str, new: str
) -> None:
    body = json.dumps({"current_password": current, "new_password": new})
    headers = authorization(login()["access"])
    answer = client.post(
        "/api/users/me/password/", body, content_type="application/json", headers=headers
    )
    assert answer.status_code == 400
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_a_name_is_changed(client: APIClient, login: Login, user: User) -> None:
    answer = me(client, login()["access"], first_name="Grace", last_name="Hopper")
    assert answer.status_code == 200
    assert answer.json()["first_name"] == "Grace"
    user.refresh_from_db()
    assert user.get_full_name() == "Grace Hopper"


def test_a_change_of_one_field_leaves_the_others_alone(
    client: APIClient, login: Login, user: User
) -> None:
    before: dict[str, Any] = {**User.objects.values().get()}
    access = login()["access"]
    with statements() as counted:
        me(client, access, first_name="Grace")
    [update] = [statement for statement in counted if statement.startswith("UPDATE")]
    assert "last_name" not in update
    after: dict[str, Any] = {**User.objects.values().get()}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"first_name", "last_login"}


@pytest.mark.parametrize("value", [1, 1.5, True, None, [], {}])
def test_a_name_that_is_no_text_is_a_400(
    client: APIClient, login: Login, user: User, value: object
) -> None:
    headers = authorization(login()["access"])
    assert client.patch("/api/users/me/", {"first_name": value}, headers=headers).status_code == 400
    assert User.objects.get(pk=user.pk).first_name == user.first_name


def test_a_change_by_somebody_who_is_deleted_meanwhile_changes_nothing(
    client: APIClient, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete_before(self: UserSerializer, attrs: dict[str, str]) -> dict[str, str]:
        User.objects.all().delete()
        return attrs

    access = login()["access"]
    monkeypatch.setattr(UserSerializer, "validate", delete_before)
    assert me(client, access, first_name="Grace").status_code == 200
    assert not User.objects.exists()


def test_a_name_that_is_too_long_is_a_400(client: APIClient, login: Login) -> None:
    answer = me(client, login()["access"], first_name="x" * 151)
    assert answer.status_code == 400
    assert answer.json().keys() == {"first_name"}


def test_an_account_is_not_replaced(client: APIClient, login: Login) -> None:
    headers = authorization(login()["access"])
    # jinja: if cookiecutter.accounts == "closed"
    assert client.delete("/api/users/me/", {}, headers=headers).status_code == 405
    # jinja: endif
    for method in (client.put, client.post):
        assert method("/api/users/me/", {}, headers=headers).status_code == 405


def test_a_new_password_is_the_only_one_that_logs_in(
    client: APIClient, login: Login, user: User
) -> None:
    pair = login()
    answer = change_password(client, pair["access"], PASSWORD, NEW_PASSWORD)
    assert answer.status_code == 204
    assert not opens(pair["access"])
    assert refresh(pair["refresh"]).status_code == 401
    for password, status in ((PASSWORD, 401), (NEW_PASSWORD, 200)):
        body = credentials(user, password)
        assert client.post("/api/token/", body).status_code == status


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("wrong", NEW_PASSWORD, "current_password"),
        (PASSWORD, "short", "new_password"),
        (PASSWORD, "12345678901234", "new_password"),
        (PASSWORD, "password123", "new_password"),
        (PASSWORD, "", "new_password"),
    ],
)
def test_a_wrong_or_weak_password_is_a_400_and_changes_nothing(
    client: APIClient, login: Login, current: str, new: str, field: str
) -> None:
    access = login()["access"]
    answer = change_password(client, access, current, new)
    assert answer.status_code == 400
    assert answer.json().keys() == {field}
    assert opens(access)
    login()


def test_of_two_new_passwords_at_once_one_counts(
    client: APIClient, login: Login, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The current password of the other is wrong by then."""
    access = login()["access"]
    check_password = User.check_password

    def overtaken(self: User, raw_password: str) -> bool:
        right = check_password(self, raw_password)
        user.set_password(NEW_PASSWORD)
        user.save()
        return right

    monkeypatch.setattr(User, "check_password", overtaken)
    answer = change_password(client, access, PASSWORD, "a third Passphrase, 9")
    assert answer.status_code == 400
    assert answer.json().keys() == {"current_password"}
    monkeypatch.undo()
    assert User.objects.get(pk=user.pk).check_password(NEW_PASSWORD)


def test_a_password_like_the_name_is_weak(client: APIClient, login: Login, user: User) -> None:
    answer = change_password(client, login()["access"], PASSWORD, f"{user.email}1")
    assert answer.status_code == 400


def test_a_login_name_belongs_to_one_account(user: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory.create(**{User.USERNAME_FIELD: user.get_username()})


# jinja: if cookiecutter.login_field == "email"
def test_an_address_belongs_to_one_account_in_whatever_spelling(user: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory.create(email=user.email.upper())
    assert User.objects.get(email=user.email.title()) == user


@pytest.mark.parametrize("spelling", [str.upper, str.title, str.lower])
def test_the_case_of_an_address_does_not_matter(
    client: APIClient, user: User, spelling: type[str]
) -> None:
    body = credentials(user) | {"email": spelling(user.email)}
    assert client.post("/api/token/", body).status_code == 200


def test_a_user_needs_an_address(db: None) -> None:
    with pytest.raises(ValueError, match="address"):
        User.objects.create_user("", PASSWORD)


# jinja: endif
def test_a_user_that_code_makes_can_log_in(client: APIClient, db: None) -> None:
    name = {User.USERNAME_FIELD: "Grace@Example.com"}
    user = User.objects.create_user(password=PASSWORD, **name)
    assert client.post("/api/token/", credentials(user)).status_code == 200
    assert not user.is_staff
