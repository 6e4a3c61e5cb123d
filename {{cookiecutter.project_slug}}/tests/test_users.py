"""Accounts: the user's data, password and permissions, and the admin."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from tests.conftest import Login, credentials, each, is_alive, statements
from tests.factories import PASSWORD, UserFactory
from users.models import User
from users.serializers import UserSerializer

ME = "/api/users/me/"
NEW_PASSWORD = "another Passphrase, 8"


def change_password(client: APIClient, current: str, new: str = NEW_PASSWORD) -> Any:
    body = {"current_password": current, "new_password": new}
    return client.post("/api/users/me/password/", body)


def test_me_is_the_account_that_the_token_belongs_to(user_client: APIClient, user: User) -> None:
    UserFactory.create()
    user.refresh_from_db()
    answer = user_client.get(ME).json()
    assert answer == {**UserSerializer(user).data, "id": answer["id"]}
    assert str(answer["id"]) == str(user.pk)
    assert answer[User.USERNAME_FIELD] == user.get_username()


def test_a_change_of_one_field_leaves_the_others_alone(user_client: APIClient, user: User) -> None:
    before: dict[str, Any] = {**User.objects.values().get()}
    with statements() as counted:
        answer = user_client.patch(ME, {"first_name": "Grace"})
    assert (answer.status_code, answer.json()["first_name"]) == (200, "Grace")
    [update] = [statement for statement in counted if statement.startswith("UPDATE")]
    assert "last_name" not in update
    assert User.objects.values().get() == before | {"first_name": "Grace"}


@each("value", 1, 1.5, True, None, [], {}, "x" * 151)
def test_a_name_that_is_no_text_is_a_400(user_client: APIClient, user: User, value: object) -> None:
    answer = user_client.patch(ME, {"first_name": value})
    assert (answer.status_code, *answer.json()) == (400, "first_name")
    assert User.objects.get().first_name == user.first_name


def test_a_change_by_somebody_who_is_deleted_meanwhile_changes_nothing(
    user_client: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete_before(self: UserSerializer, attrs: dict[str, str]) -> dict[str, str]:
        User.objects.all().delete()
        return attrs

    monkeypatch.setattr(UserSerializer, "validate", delete_before)
    assert user_client.patch(ME, {"first_name": "Grace"}).status_code == 200
    assert not User.objects.exists()


def test_an_account_is_not_replaced(user_client: APIClient) -> None:
    # jinja: if cookiecutter.accounts == "closed"
    assert user_client.delete(ME, {}).status_code == 405
    # jinja: endif
    assert user_client.put(ME, {}).status_code == user_client.post(ME, {}).status_code == 405


def test_only_the_new_password_logs_in(
    user_client: APIClient, client: APIClient, user: User
) -> None:
    assert change_password(user_client, PASSWORD).status_code == 204
    for password, status in ((PASSWORD, 401), (NEW_PASSWORD, 200)):
        body = credentials(user, password)
        assert client.post("/api/token/", body).status_code == status


@each(
    "current, new, field",
    ("wrong", NEW_PASSWORD, "current_password"),
    ("\ud800", NEW_PASSWORD, "current_password"),
    (PASSWORD, "short", "new_password"),
    (PASSWORD, "12345678901234", "new_password"),
    (PASSWORD, "password123", "new_password"),
    (PASSWORD, "{email}1", "new_password"),
    (PASSWORD, "", "new_password"),
    (PASSWORD, f"{NEW_PASSWORD}\ud800", "new_password"),
)
def test_a_wrong_or_weak_password_is_a_400_and_changes_nothing(
    user_client: APIClient, login: Login, user: User, current: str, new: str, field: str
) -> None:
    answer = change_password(user_client, current, new.format(email=user.email))
    assert (answer.status_code, *answer.json()) == (400, field)
    assert user_client.get(ME).status_code == 200
    login()


def test_of_two_new_passwords_at_once_one_counts(
    user_client: APIClient, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By then, the current password of the other request is wrong."""
    check_password = User.check_password

    def overtaken(self: User, raw_password: str) -> bool:
        right = check_password(self, raw_password)
        user.set_password(NEW_PASSWORD)
        user.save()
        return right

    monkeypatch.setattr(User, "check_password", overtaken)
    answer = change_password(user_client, PASSWORD, "a third Passphrase, 9")
    assert (answer.status_code, *answer.json()) == (400, "current_password")
    monkeypatch.undo()
    assert User.objects.get().check_password(NEW_PASSWORD)


# jinja: if cookiecutter.login_field == "username"
def test_a_login_name_belongs_to_one_account(user: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory.create(username=user.username)


# jinja: else
@each("spell", str.upper, str.title, str.lower)
def test_an_address_has_one_spelling(client: APIClient, user: User, spell: type[str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        UserFactory.create(email=spell(user.email))
    assert User.objects.get(email=spell(user.email)) == user
    body = credentials(user) | {"email": spell(user.email)}
    assert client.post("/api/token/", body).status_code == 200


def test_a_user_needs_an_address(db: None) -> None:
    with pytest.raises(ValueError, match="address"):
        User.objects.create_user("", PASSWORD)


# jinja: endif
def test_a_user_that_code_makes_can_log_in(login: Login, db: None) -> None:
    name = {User.USERNAME_FIELD: "Grace@Example.com"}
    user = User.objects.create_user(password=PASSWORD, **name)
    assert is_alive(login(user))
    assert not user.is_staff


def test_a_user_that_the_admin_makes_can_log_in(admin_client: Client, login: Login) -> None:
    name = {User.USERNAME_FIELD: "grace@example.com"}
    passwords = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    response = admin_client.post(reverse("admin:users_user_add"), name | passwords)
    assert response.status_code == 302
    login(User.objects.get(**name))


def test_the_admin_changes_what_the_api_says(admin_client: Client, user: User) -> None:
    path = reverse("admin:users_user_change", args=[user.pk])
    form: Any = admin_client.get(path).context["adminform"].form
    assert {*UserSerializer.Meta.fields} - {"id"} <= form.fields.keys()


def test_the_admin_finds_users_by_their_login_name(admin_client: Client, user: User) -> None:
    UserFactory.create()
    path = reverse("admin:users_user_changelist")
    response = admin_client.get(path, {"q": user.get_username()})
    assert list(response.context["cl"].result_list) == [user]


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_the_first_administrator_is_made_by_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    names = dict.fromkeys([*User.REQUIRED_FIELDS, User.USERNAME_FIELD], "ada@example.com")
    call_command("createsuperuser", interactive=False, verbosity=0, **names)
    ada = User.objects.get()
    assert ada.is_staff
    assert ada.is_superuser
    assert ada.check_password(PASSWORD)
