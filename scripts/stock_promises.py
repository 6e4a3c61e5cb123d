"""Show that the promises' tests can fail: run them on a plain SimpleJWT project.

    RENDERED_PYTHON=... python scripts/stock_promises.py

A plain project is what ``django-admin startproject`` makes, with the lines that the
tutorials of REST framework and SimpleJWT add: rotation, blacklist app, the same URLs.
It gets the tests ``tests/test_promises_*.py`` of a rendered project and runs them with
HS256 and with ES256. The table of what happens is ``docs/security-promises.md``.

Ends with an error where a promise has no test, or where one that is marked below
has no test that fails. ``RENDERED_PYTHON`` has the rendered project's packages.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from cookiecutter.main import cookiecutter

ROOT = Path(__file__).resolve().parent.parent
PYTHON = os.environ.get("RENDERED_PYTHON", sys.executable)
TABLE = ROOT / "docs" / "security-promises.md"
PROMISES = range(1, 44)
#: The promises that a plain project breaks, as was measured before this one was made.
STOCK = {8, 10, 11, 13, 15, 17, 19, 21, 22, 23, 24, 25, 26, *range(28, 31), 32, 33}
STOCK |= {36, 37, 38, 40}

SETTINGS = """
INSTALLED_APPS += [
    "rest_framework",
    "rest_framework_simplejwt",
    "rest_framework_simplejwt.token_blacklist",
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication"
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=1),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "UPDATE_LAST_LOGIN": True,
    "AUTH_HEADER_TYPES": ("Bearer",),
    "USER_ID_CLAIM": "user_id",
}
"""
PRODUCTION = """from config.settings import *

DEBUG = False
ALLOWED_HOSTS = ["api.example.com"]
"""
# What the tests read besides, and the one choice: the algorithm and its key.
TEST = """import os
from config.settings import *
from config.algorithms import generate_key
from cryptography.hazmat.primitives import serialization as s

DEBUG = False
ALLOWED_HOSTS = ["testserver"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
JWT_SIGNING_KEY, JWT_VERIFYING_KEYS, REDIS_URL = SECRET_KEY, "", ""
SIMPLE_JWT |= {
    "ALGORITHM": os.environ["ALGORITHM"], "ISSUER": None, "AUDIENCE": None
}
if SIMPLE_JWT["ALGORITHM"] != "HS256":
    JWT_SIGNING_KEY = generate_key(SIMPLE_JWT["ALGORITHM"])
    private = s.load_pem_private_key(JWT_SIGNING_KEY.encode(), None)
    SIMPLE_JWT["SIGNING_KEY"] = JWT_SIGNING_KEY
    SIMPLE_JWT["VERIFYING_KEY"] = private.public_key().public_bytes(
        s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo
    ).decode()
"""
URLS = """from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import path
from rest_framework.generics import RetrieveUpdateAPIView
from rest_framework.serializers import ModelSerializer
from rest_framework_simplejwt import views


class UserSerializer(ModelSerializer):
    class Meta:
        model = User
        fields = ["id", "username", "email", "first_name", "last_name"]
        read_only_fields = ["id", "username", "email"]


class MeView(RetrieveUpdateAPIView):
    serializer_class = UserSerializer

    def get_object(self):
        return self.request.user


urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/token/", views.TokenObtainPairView.as_view()),
    path("api/token/refresh/", views.TokenRefreshView.as_view()),
    path("api/token/verify/", views.TokenVerifyView.as_view()),
    path("api/token/blacklist/", views.TokenBlacklistView.as_view()),
    path("api/users/me/", MeView.as_view()),
]
"""
CONFIGURATION = """[pytest]
DJANGO_SETTINGS_MODULE = config.settings.test
testpaths = tests
"""
#: Names that the tests import, for a project that has no such modules.
STAND_INS = {
    "users/__init__.py": "",
    "users/throttling.py": "",
    "users/models.py": "from django.contrib.auth.models import User\nFailure = None\n",
    "tokens/__init__.py": "",
    "tokens/keys.py": "from functools import cache\n\n"
    "@cache\ndef token_backend():\n    return None\n",
}


class Test(NamedTuple):
    """A test of a promise, and what came of its cases on the plain project."""

    promise: int
    name: str
    cases: list[str | None]  # for each, the message with which it failed, if it did


def render(folder: Path) -> Path:
    """Generate the default project."""
    return Path(
        cookiecutter(
            str(ROOT), no_input=True, output_dir=str(folder), accept_hooks=False
        )
    )


def plain_project(folder: Path, rendered: Path) -> None:
    """Make the plain project, with the tests of the rendered one."""
    folder.mkdir()
    command = [PYTHON, "-m", "django", "startproject", "config", str(folder)]
    subprocess.run(command, check=True)
    settings = (folder / "config/settings.py").read_text("utf-8")
    (folder / "config/settings.py").unlink()
    files = STAND_INS | {
        "config/settings/__init__.py": "from datetime import timedelta\n"
        + settings
        + SETTINGS,
        "config/settings/production.py": PRODUCTION,
        "config/settings/test.py": TEST,
        "config/urls.py": URLS,
        "pytest.ini": CONFIGURATION,
        "tests/__init__.py": "",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    shutil.copy(rendered / "config/algorithms.py", folder / "config")
    helpers = [rendered / "tests" / f"{n}.py" for n in ("conftest", "factories")]
    helpers += [rendered / "tests" / f"{n}.py" for n in ("forge", "production")]
    for file in (*helpers, *rendered.glob("tests/test_promises_*.py")):
        shutil.copy(file, folder / "tests")


def outcomes(project: Path, algorithm: str) -> dict[str, list[str | None]]:
    """Run the tests; for each, the messages of the cases that failed, or None."""
    report = project / f"{algorithm}.xml"
    command = [PYTHON, "-m", "pytest", "-q", "--tb=no", f"--junitxml={report}"]
    subprocess.run(
        [*command, "-p", "no:randomly", "-p", "no:cacheprovider"],
        cwd=project,
        env={**os.environ, "ALGORITHM": algorithm},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    found: dict[str, list[str | None]] = {}
    for case in ET.parse(report).iter("testcase"):
        name = re.sub(r"\[.*", "", case.attrib["name"], flags=re.S)
        if case.find("error") is not None:  # it did not come to the test
            continue
        failure = case.find("failure")
        message = None if failure is None else failure.attrib["message"]
        found.setdefault(name, []).append(message)
    return found


def promises(folder: Path) -> Iterator[tuple[int, str]]:
    """Yield the number of the promise and the name, for every test of one."""
    for path in sorted(folder.glob("test_promises_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                number = re.match(r"\d+", ast.get_docstring(node) or "")
                if number is None:
                    raise SystemExit(f"{node.name}: which promise is it?")
                yield int(number[0]), node.name


def reason(message: str) -> str:
    """Return how a test failed, where it can be said in a word or two."""
    line = message.splitlines()[0].removeprefix("AssertionError: ")
    comparison = re.fullmatch(r"assert [\w ()!=<>{},]{3,40}", line)
    error = re.match(r"(\w+(Error|Exception))\b", line)
    found = comparison or error
    return f" (`{found[0]}`)" if found else ""


def table(tests: list[Test]) -> str:
    """Return the page, in Markdown."""
    lines = [
        "# The promises, their tests, and a plain project",
        "",
        "Made by `python scripts/stock_promises.py`; do not edit. Rendered projects",
        "keep all of these promises. The last column says how many of the test's cases",
        "fail on a plain SimpleJWT project, with HS256 and ES256, and how the first",
        "does. A ● marks the promises that a plain project is known to break.",
        "",
        "| | | test | plain project |",
        "|---|---|---|---|",
    ]
    for promise, name, cases in sorted(tests):
        failed = [message for message in cases if message is not None]
        mark = "●" if promise in STOCK else ""
        text = "passes"
        if failed:
            text = f"fails {len(failed)} of {len(cases)}{reason(failed[0])}"
        elif not cases:
            text = "cannot run there"
        readable = name.removeprefix("test_").replace("_", " ")
        lines.append(f"| {promise} | {mark} | {readable} | {text} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the tests on both plain projects, and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        rendered = render(Path(folder))
        plain = Path(folder) / "plain"
        plain_project(plain, rendered)
        runs = [outcomes(plain, algorithm) for algorithm in ("HS256", "ES256")]
        tests = [
            Test(number, name, [case for run in runs for case in run.get(name, [])])
            for number, name in promises(rendered / "tests")
        ]
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(table(tests), "utf-8")
    untested = {*PROMISES} - {test.promise for test in tests}
    unbroken = STOCK - {test.promise for test in tests if any(test.cases)}
    failing = sum(any(test.cases) for test in tests)
    print(
        f"{len(tests)} tests of {len(PROMISES)} promises; {failing} tests fail there."
    )
    if untested or unbroken:
        raise SystemExit(
            f"Without a test: {sorted(untested)}. Marked, and no test fails: "
            f"{sorted(unbroken)}."
        )


if __name__ == "__main__":
    main()
