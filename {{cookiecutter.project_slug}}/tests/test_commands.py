"""The management commands, Django's own among them where our code is theirs."""

import re
import stat
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework_simplejwt.settings import api_settings

from tests.conftest import statements
from tests.production import python
from tokens import sessions
from tokens.keys import KeyRing
from tokens.management.commands import delete_expired_sessions
from tokens.models import LoginSession
from users.models import User


def output_of(*command: str) -> str:
    output = StringIO()
    call_command(*command, stdout=output, stderr=StringIO())
    return output.getvalue()


def number_in(text: str) -> int:
    [number] = re.findall(r"\d+", text)
    return int(number)


# delete_expired_sessions


@pytest.fixture
def five_over_two_live(user: User, clock: time_machine.Traveller) -> None:
    for lifetime in (10, 20, 30, 40, 50, 51, 60):
        session = sessions.start(user)
        session.expires = timezone.now() + timedelta(seconds=lifetime)
        session.save()
    clock.shift(50)


@pytest.mark.usefixtures("five_over_two_live")
def test_sessions_whose_time_is_over_are_deleted_in_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delete_expired_sessions, "BATCH", 2)
    with statements() as counted:
        assert number_in(output_of("delete_expired_sessions")) == 5
    deletions = [statement for statement in counted if statement.startswith("DELETE")]
    assert len(deletions) == 3
    assert LoginSession.objects.count() == LoginSession.objects.live().count() == 2


def test_a_batch_is_small_enough_for_every_database() -> None:
    assert 100 <= delete_expired_sessions.BATCH <= 10_000


@pytest.mark.usefixtures("five_over_two_live")
def test_a_dry_run_counts_and_deletes_nothing() -> None:
    assert number_in(output_of("delete_expired_sessions", "--dry-run")) == 5
    assert LoginSession.objects.count() == 7


def test_a_revoked_session_stays_until_its_time_is_over(
    user: User, clock: time_machine.Traveller
) -> None:
    session = sessions.start(user)
    sessions.end(session.pk)
    assert number_in(output_of("delete_expired_sessions")) == 0
    clock.move_to(session.expires)
    assert number_in(output_of("delete_expired_sessions")) == 1


# generate_signing_key


@pytest.mark.parametrize("algorithm", ["HS512", "RS384", "ES512", "EdDSA"])
def test_a_generated_key_is_one_line_for_an_environment_file(algorithm: str) -> None:
    [line] = output_of("generate_signing_key", "--algorithm", algorithm).splitlines()
    variable, _, key = line.partition("=")
    assert variable == "JWT_SIGNING_KEY"
    assert not re.search(r"[\s'\"\\$]", key)
    assert KeyRing(algorithm, key, "").signing.signing


def test_a_generated_key_goes_into_a_new_file_for_its_owner_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "key.pem"
    notes = StringIO()
    call_command("generate_signing_key", f"--output={path}", stdout=notes, stderr=notes)
    assert f"JWT_SIGNING_KEY_FILE={path}" in notes.getvalue()
    assert path.read_text().splitlines()[0] not in notes.getvalue()
    key = path.read_text()
    assert KeyRing(api_settings.ALGORITHM, key, "").signing.signing
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match=re.escape(str(path))):
        output_of("generate_signing_key", f"--output={path}")
    assert path.read_text() == key


def test_a_key_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        output_of("generate_signing_key", f"--output={tmp_path / 'none' / 'key'}")


def test_a_key_is_made_for_known_algorithms_only() -> None:
    with pytest.raises(CommandError, match="HS265"):
        output_of("generate_signing_key", "--algorithm", "HS265")


def test_the_steps_of_a_rotation_come_with_the_key() -> None:
    """Before there is a key, and when ALGORITHM has changed, under production settings."""
    other = "ES384" if api_settings.ALGORITHM.startswith("HS") else "HS256"
    command = ("manage.py", "generate_signing_key", "--algorithm")
    first = python(*command, api_settings.ALGORITHM, JWT_SIGNING_KEY="", DJANGO_SECRET_KEY="")
    assert re.fullmatch(r"JWT_SIGNING_KEY=[\w+/=-]+\n", first.stdout)
    assert first.stderr.count("JWT_VERIFYING_KEYS") == 2
    assert str(api_settings.REFRESH_TOKEN_LIFETIME) in first.stderr
    changed = python(*command, other)
    assert "JWT_VERIFYING_KEYS" not in changed.stderr
    assert "logged out" in changed.stderr


# Django's own


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_the_first_administrator_is_made_on_the_command_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a Long enough passphrase, 7")
    names = dict.fromkeys(User.REQUIRED_FIELDS, "ada@example.com")
    names[User.USERNAME_FIELD] = "ada@example.com"
    call_command("createsuperuser", interactive=False, verbosity=0, **names)
    ada = User.objects.get()
    assert ada.is_staff
    assert ada.is_superuser
    assert ada.check_password("a Long enough passphrase, 7")
