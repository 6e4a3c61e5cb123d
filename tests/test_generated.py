"""Rendered projects pass their own tests, type checks, migrations and checks.

They share one environment, made from the pyproject.toml of a rendered project.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import make_environment
from grammar import sample
from projects import FAMILIES, pairwise
from servers import PYTHON

import jwt_answers


def attempt(
    project: Path, *command: str, python: str = PYTHON
) -> subprocess.CompletedProcess[str]:
    """Run a Python command in a project."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "DJANGO", "COV", "VIRTUAL_ENV"))
    }
    return subprocess.run(
        [python, *command], cwd=project, env=environment, capture_output=True, text=True
    )


def run(project: Path, *command: str, python: str = PYTHON) -> str:
    """Run a Python command in a project, and return its output or fail with it."""
    done = attempt(project, *command, python=python)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout


def passes_its_own_tests(project: Path, python: str = PYTHON) -> None:
    """Fail unless the project's migrations, checks and tests pass."""
    run(project, "manage.py", "makemigrations", "--check", "--dry-run", python=python)
    run(project, "manage.py", "check", "--fail-level", "WARNING", python=python)
    report = run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", python=python)
    print(report.splitlines()[-1])


@pytest.mark.parametrize("answers", FAMILIES, ids=["defaults", "email", "none", "many"])
def test_a_project_passes_its_own_tests_types_and_checks(
    cookies: Any, answers: dict[str, str]
) -> None:
    project = cookies.bake(extra_context=answers).project_path
    passes_its_own_tests(project)
    run(project, "-m", "mypy", ".")


# What an owner may change in ``config/jwt.py``, or remove from the claims.
CHANGES = {
    "ACCESS_TOKEN_LIFETIME": "timedelta(seconds=77)",
    "REFRESH_TOKEN_LIFETIME": "timedelta(hours=7)",
    "SESSION_LIFETIME": "timedelta(days=44)",
    "REFRESH_GRACE_PERIOD": "timedelta(0)",
    "ALGORITHM": '"ES384"',
    "AUTH_HEADER_TYPES": '("Other", "Bearer")',
    "PROJECT_SLUG": '"another"',
    "EXTRA_CLAIMS_IN_TOKEN": "False",
    "EXTRA_CLAIMS_IN_RESPONSE": "False",
    "username": None,
}


@pytest.mark.full
@pytest.mark.parametrize(("name", "value"), CHANGES.items(), ids=CHANGES)
def test_a_changed_choice_fails_in_one_module_of_the_tests(
    cookies: Any, name: str, value: str | None
) -> None:
    project = cookies.bake().project_path
    file = project / ("config/jwt.py" if value else "tokens/claims.py")
    old = re.compile(rf'^( *"?{name}"?(?::| =) )(.+?)(,?)$', re.M)
    new = rf"\g<1>{value}\g<3>" if value else ""
    text, count = old.subn(new, file.read_text("utf-8"))
    assert count == (1 if value else 2)  # a claim has a type, too
    file.write_text(text, "utf-8")
    done = attempt(project, "-m", "pytest", "-q", "--tb=no", "-p", "no:cacheprovider")
    failed = re.findall(r"^(?:FAILED|ERROR) ([\w/.]+)", done.stdout, re.M)
    assert {*failed} == {"tests/test_choices.py"}, done.stdout[-6000:]


@pytest.fixture(scope="session")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the Python of an environment with the oldest supported Django."""
    folder = tmp_path_factory.mktemp("oldest")
    return make_environment(folder, "django~=5.2.0")


@pytest.mark.full
@pytest.mark.parametrize("answers", pairwise(), ids=lambda a: a["algorithm"])
@pytest.mark.parametrize("django", ["newest", "oldest"])
def test_every_algorithm_and_every_pair_of_answers(
    cookies: Any, answers: dict[str, str], django: str, request: pytest.FixtureRequest
) -> None:
    project = cookies.bake(extra_context=answers).project_path
    if django == "newest":
        passes_its_own_tests(project)
        run(project, "-m", "mypy", ".")
    else:
        passes_its_own_tests(project, request.getfixturevalue("oldest"))


@pytest.mark.full
@pytest.mark.parametrize("answers", sample(24), ids=lambda a: a["project_slug"])
def test_random_answers(cookies: Any, answers: dict[str, str]) -> None:
    passes_its_own_tests(cookies.bake(extra_context=answers).project_path)


@pytest.mark.full
def test_a_project_installs_from_its_own_pyproject(cookies: Any) -> None:
    project = cookies.bake().project_path
    environment = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    uv = [sys.executable, "-m", "uv", "run", "-q", "-p", sys.executable]
    subprocess.run([*uv, "pytest", "-q"], cwd=project, env=environment, check=True)


# --- What the template says of rendered projects, which it does not import

PACKAGES = """
import sys, tomllib
from importlib.metadata import requires
from packaging.requirements import Requirement

own = tomllib.load(open("pyproject.toml", "rb"))
listed = own["project"]["dependencies"] + own["dependency-groups"]["dev"]
todo, found = [(line, {""}) for line in listed], set()
while todo:
    line, extras = todo.pop()
    needed = Requirement(line)
    marker = needed.marker
    if marker and not any(marker.evaluate({"extra": extra}) for extra in extras):
        continue
    found.add(needed.name.lower().replace("_", "-"))
    todo += [(r, {"", *needed.extras}) for r in requires(needed.name) or []]
print(*found)
"""
ELSEWHERE = {"colorama", "tzdata"}  # on Windows


def test_a_slug_is_no_package_that_the_project_needs(cookies: Any) -> None:
    found = {*run(cookies.bake().project_path, "-c", PACKAGES).split()}
    assert found | ELSEWHERE == {*jwt_answers.PACKAGES} | ELSEWHERE


MEMBERS = """
import django

django.setup()
from tests.factories import UserFactory
from users.models import User

print(*dir(User), *dir(type(User)), *dir(UserFactory), *dir(type(UserFactory)))
"""


@pytest.mark.parametrize("answers", [{}, {"accounts": "open"}], ids=["closed", "open"])
@pytest.mark.parametrize("login", ["username", "email"])
def test_a_new_field_hides_no_member_of_the_user_model(
    cookies: Any, answers: dict[str, str], login: str
) -> None:
    answers = answers | {"login_field": login}
    project = cookies.bake(extra_context=answers).project_path
    start = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings.test'"
    names = {*run(project, "-c", start + MEMBERS).split()}
    assert {"pk", "get_username", "objects", "create_batch", "mro"} <= names
    for name in names:
        with pytest.raises(jwt_answers.Refused):
            jwt_answers.claims(f"{name}:str")
