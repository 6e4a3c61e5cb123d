"""The management commands, Django's own among them where our code is theirs."""

import re
import stat
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework_simplejwt.settings import api_settings

from tests.conftest import Clock, each, statements
from tests.factories import PASSWORD
from tests.production import python
from tokens import sessions
from tokens.keys import KeyRing
from tokens.models import LoginSession
from users.models import User


def run(*command: str) -> tuple[str, str]:
    """What a command prints, and what it says besides."""
    output, notes = StringIO(), StringIO()
    call_command(*command, stdout=output, stderr=notes)
    return output.getvalue(), notes.getvalue()


def number_in(text: str) -> int:
    return int("".join(filter(str.isdigit, text)))


def test_sessions_whose_time_is_over_are_deleted_in_batches(user: User) -> None:
    """Of at most 1,000, so that nobody waits; a dry run counts and deletes nothing."""

    def session(number: int) -> LoginSession:
        end = now + timedelta(seconds=number - 2500)
        return LoginSession(user=user, rotated=now, expires=end)

    now = timezone.now()
    LoginSession.objects.bulk_create(map(session, range(2502)))
    assert number_in(run("delete_expired_sessions", "--dry-run")[0]) == 2501
    with statements() as counted:
        assert number_in(run("delete_expired_sessions")[0]) == 2501
    assert sum(statement.startswith("DELETE") for statement in counted) == 3
    assert LoginSession.objects.count() == LoginSession.objects.live().count() == 1


def test_a_revoked_session_stays_until_its_time_is_over(user: User, clock: Clock) -> None:
    session = sessions.start(user)
    sessions.end(session.pk)
    assert number_in(run("delete_expired_sessions")[0]) == 0
    clock.move_to(session.expires)
    assert number_in(run("delete_expired_sessions")[0]) == 1


@each("algorithm", "HS512", "RS384", "ES512", "EdDSA")
def test_a_generated_key_is_one_line_for_an_environment_file(algorithm: str) -> None:
    [line] = run("generate_signing_key", "--algorithm", algorithm)[0].splitlines()
    variable, _, key = line.partition("=")
    assert variable == "JWT_SIGNING_KEY"
    assert not re.search(r"[\s'\"\\$]", key)
    assert KeyRing(algorithm, key, "").signing.signing


def test_a_generated_key_goes_into_a_new_file_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    output, notes = run("generate_signing_key", f"--output={path}")
    key = path.read_text()
    assert KeyRing(api_settings.ALGORITHM, key, "").signing.signing
    assert f"JWT_SIGNING_KEY_FILE={path}" in notes
    assert key.splitlines()[0] not in output + notes
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for taken in (path, tmp_path / "none" / "key"):
        with pytest.raises(CommandError, match=taken.name):
            run("generate_signing_key", f"--output={taken}")
    assert path.read_text() == key


def test_a_key_is_made_for_known_algorithms_only() -> None:
    with pytest.raises(CommandError, match="HS265"):
        run("generate_signing_key", "--algorithm", "HS265")


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
