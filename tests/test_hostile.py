"""No answer can run code, break the rendered project or write outside its folder.

There are two kinds of answers: hostile ones, each of which must be refused in one line
or rendered exactly, and random good ones from the whole grammar with a known meaning.
"""

from __future__ import annotations

import ast
import datetime
import json
import os
import runpy
import shutil
import subprocess
import tomllib
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import DEFAULTS, KEYS, ROOT, SETTINGS
from cookiecutter.cli import main
from cookiecutter.exceptions import FailedHookException
from cookiecutter.main import cookiecutter
from grammar import good_answers
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from ruff import find_ruff_bin

import jwt_answers

CHOICES = [key for key in KEYS if isinstance(SETTINGS[key], list)]
CANARY = "JWT_ANSWERS_CANARY"


def thoroughly(examples: int) -> settings:
    """Return settings for so many examples, even on a slow machine."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # shrinking a failure would take minutes
        suppress_health_check=list(HealthCheck),
    )


# --- Rendering


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the template without the files that are always the same."""

    def unchanging(folder: str, names: list[str]) -> list[str]:
        files = [name for name in names if Path(folder, name).is_file()]
        texts = {name: Path(folder, name).read_bytes() for name in files}
        same = [n for n in files if b"{{" not in texts[n] and b"jinja" not in texts[n]]
        return [*same, *(name for name in names if name.endswith(("cache", "cache__")))]

    copy = tmp_path_factory.mktemp("thin") / "template"
    for folder in ("{{cookiecutter.project_slug}}", "templates"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=unchanging)
    shutil.copy(ROOT / "cookiecutter.json", copy)
    return copy


def by_python(template: Path, answers: dict[str, str], output: Path) -> str:
    """Render through the Python API, and return the refusal."""
    options: dict[str, Any] = {"no_input": True, "accept_hooks": False}
    try:
        cookiecutter(
            str(template), None, extra_context=answers, output_dir=output, **options
        )
    except FailedHookException as refused:
        return str(refused)
    return ""


def by_command(template: Path, arguments: list[str], output: Path) -> str:
    """Render by the command line, and return what it prints when it fails."""
    options = ["--accept-hooks", "no", "-o", str(output)]
    result = CliRunner().invoke(main, [str(template), *arguments, *options])
    assert result.exit_code in (0, 1)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.output.removesuffix("\n") if result.exit_code else ""


def by_answer(template: Path, answers: dict[str, str], output: Path) -> str:
    """Render with ``key=value`` on the command line."""
    arguments = [f"{key}={answer}" for key, answer in answers.items()]
    return by_command(template, ["--no-input", *arguments], output)


def by_replay(template: Path, answers: dict[str, str], output: Path) -> str:
    """Render from a file of answers."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "answers.json")
        file.write_text(json.dumps({"cookiecutter": DEFAULTS | answers}), "utf-8")
        return by_command(template, ["--replay-file", str(file)], output)


Way = Callable[[Path, dict[str, str], Path], str]
WAYS: list[Way] = [by_python, by_answer, by_replay]


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder for projects; nothing may appear in the current folder."""
    output = tmp_path / "outside" / "output"
    output.mkdir(parents=True)
    monkeypatch.chdir(output.parent)
    monkeypatch.delenv(CANARY, raising=False)
    monkeypatch.delenv("JWT_ISSUER", raising=False)
    monkeypatch.delenv("JWT_AUDIENCE", raising=False)
    yield output
    assert CANARY not in os.environ
    assert os.listdir(tmp_path) == ["outside"]
    assert os.listdir(output.parent) == ["output"]


# --- What a rendered project says


def syntax(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"), file.name)


def call(node: ast.expr) -> tuple[str, dict[str, object]]:
    """Return the name and the keyword arguments of a call in source code."""
    assert isinstance(node, ast.Call)
    assert not node.args
    names = {"datetime": datetime, "uuid": uuid, "__builtins__": {}}
    arguments = {k.arg or "": eval(ast.unparse(k.value), names) for k in node.keywords}
    return ast.unparse(node.func), arguments


def claims_written(project: Path) -> dict[str, str]:
    """Return the claims in ``tokens/claims.py``, as name and expression."""
    tree = syntax(project / "tokens" / "claims.py")
    (written,) = (node for node in ast.walk(tree) if isinstance(node, ast.Dict))
    keys = [ast.literal_eval(key) for key in written.keys if key]
    return dict(zip(keys, map(ast.unparse, written.values), strict=True))


def fields_written(project: Path) -> dict[str, tuple[str, dict[str, object]]]:
    """Return the fields of the user model that are not Django's."""
    tree = syntax(project / "users" / "models.py")
    (user,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "User")
    assigned = (node for node in user.body if isinstance(node, ast.Assign))
    found = {ast.unparse(node.targets[0]): node.value for node in assigned}
    return {
        name: call(value)
        for name, value in found.items()
        if ast.unparse(value).startswith("models.")
    }


def migration_written(project: Path, name: str) -> tuple[str, dict[str, object]]:
    """Return a field as the first migration has it."""
    tree = syntax(project / "users" / "migrations" / "0001_initial.py")
    tuples = (n.elts for n in ast.walk(tree) if isinstance(n, ast.Tuple))
    first = [e for e in tuples if isinstance(e[0], ast.Constant) and e[0].value == name]
    assert len(first) == 1
    return call(first[0][1])


def inspect(project: Path) -> dict[str, Any]:
    """Return the settings of a project, after parsing all of its files."""
    files = [path for path in project.rglob("*") if path.is_file()]
    for file in files:
        text = file.read_text("utf-8")
        assert "cookiecutter." not in text or file.suffix == ".md", file
        if file.suffix == ".py":
            compile(text, file.name, "exec", dont_inherit=True)
        if file.suffix == ".toml":
            tomllib.loads(text)
    said = runpy.run_path(str(project / "config" / "jwt.py"))
    return {**said, **said["SIMPLE_JWT"]}


def is_said(project: Path, answers: dict[str, str]) -> None:
    """Assert that a project says exactly what was answered, once it is normalised."""
    answers = {key: jwt_answers.normalize(key, text) for key, text in answers.items()}
    said = inspect(project)
    kept = json.loads((project / ".cookiecutter.json").read_text("utf-8"))
    assert kept == {"cookiecutter": answers}
    for key, name in {
        "access_token_lifetime": "ACCESS_TOKEN_LIFETIME",
        "refresh_token_lifetime": "REFRESH_TOKEN_LIFETIME",
        "session_lifetime": "SESSION_LIFETIME",
    }.items():
        seconds = jwt_answers.seconds(answers[key])
        assert said[name] == datetime.timedelta(seconds=seconds)
    types = [item.strip() for item in answers["auth_header_type"].split(",")]
    assert said["AUTH_HEADER_TYPES"] == tuple(types)
    assert said["ALGORITHM"] == answers["algorithm"]
    assert said["ISSUER"] == said["AUDIENCE"] == answers["project_slug"]
    claims = jwt_answers.claims(answers["extra_claims"])
    assert [*claims_written(project)] == [claim.name for claim in claims]
    assert said["EXTRA_CLAIMS_IN_TOKEN"] == ("token" in answers["claims_in"])
    assert said["EXTRA_CLAIMS_IN_RESPONSE"] == ("response" in answers["claims_in"])


# --- Hostile answers

FRAGMENTS = [
    *("'", '"', "\\", "'''", '"""', "`", "\n", "\r\n", "\t", "\0", "\x1b[31m", "\x7f"),
    *("{{ 7 * 7 }}", "{{", "}}", "{% raw %}", "{% endraw %}", "{#", "#}", "{", "}"),
    f"{{{{ cycler.__init__.__globals__.os.environ.update({CANARY}='1') }}}}",
    f"__import__('os').environ.update({CANARY}='1')",
    f"'+__import__('os').environ.setdefault('{CANARY}','1')+'",
    f'"+__import__("os").environ.setdefault("{CANARY}","1")+"',
    f"$(touch {CANARY})",
    f"`touch {CANARY}`",
    f"; touch {CANARY} #",
    *("# jinja: if true", "# jinja: include '/etc/passwd'", "\n# jinja: endif\n"),
    *("../", "..", "/x/y", "~", "C:\\", "a/b", "./", "-rf", "--help", "NUL", "con"),
    *(
        "🚀",
        "👩‍🚀",
        "내 서비스",
        "é",
        "\u202e",
        "\u200f",
        "\ufeff",
        "\u2028",
        "\xa0",
        "ﬁ",
    ),
    *("class", "None", "True", "import", "match", "lambda", "json", "os", "django"),
    *("0", "-1", "1e9", "NaN", "inf", "9" * 30, "1_000", "٥", "0x10", "007"),
    *("email", "role:str", "role:str=", ":", "=", ",", ";", "none", "Bearer", "exp"),
    *("5 minutes", "PT5M", " ", "h", "1 day", "%s", "{0}", "${HOME}", "\\N{BULLET}"),
    *("\\x41", "\\u0041", "\ud800", "</script>", "]]>", "&lt;", "a" * 10_000, "# "),
]
PIECES = st.sampled_from(FRAGMENTS) | st.text(max_size=8)
RUBBISH = st.lists(PIECES, max_size=5).map("".join)
LIVES = [key for key in KEYS if key.endswith("_lifetime")]
ALMOST = {  # answers that are good except for one part
    "project_name": ["Shop {}", "{}"],
    "project_slug": ["shop{}", "{}shop"],
    "access_token_lifetime": ["5 minutes{}", "{}5m", "1h{}"],
    "refresh_token_lifetime": ["7 days{}", "{}7d", "1w{}"],
    "session_lifetime": ["30 days{}", "{}P90D", "12w{}"],
    "auth_header_type": ["Bearer, {}", "{}", "X{}"],
    "extra_claims": ["role:str={}", "{}=email", "a{}:int", "n:int={}", "a:{}", "id,{}"],
}


def hostile(key: str) -> st.SearchStrategy[str]:
    """Return hostile answers to a question."""
    frames = st.sampled_from(ALMOST.get(key, ["{}"]))
    return RUBBISH | st.builds(lambda a, b: a.replace("{}", b), frames, RUBBISH)


def attack(key: str, examples: int, template: Path, workshop: Path) -> None:
    """Give that many hostile answers to a question."""
    ways = [by_replay] if key in CHOICES else WAYS

    @thoroughly(examples)
    @given(hostile(key), st.sampled_from(ways))
    def harmless(answer: str, way: Way) -> None:
        with TemporaryDirectory(dir=workshop) as folder:
            output = Path(folder)
            refusal = way(template, DEFAULTS | {key: answer}, output)
            made = os.listdir(output)
            if refusal:
                assert made == []
                lines = refusal.split("\n")
                wrong = [line.partition(":")[0] for line in lines]
                # A lifetime, wrong or right, may make the next one too short.
                blamed = {key, *(LIVES if key in LIVES else ())}
                assert len(wrong) == len({*wrong})
                assert blamed.issuperset(wrong)
                assert all(len(line) < 800 for line in lines)
                assert refusal.replace("\n", "").isprintable()
            else:
                answers = DEFAULTS | {key: answer}
                slug = jwt_answers.normalize("project_slug", answers["project_slug"])
                assert made == [slug]
                is_said(output / made[0], answers)

    harmless()


@pytest.mark.parametrize("key", KEYS)
def test_a_hostile_answer_is_refused_or_rendered_exactly(
    key: str, template: Path, workshop: Path
) -> None:
    attack(key, 30, template, workshop)


@pytest.mark.full
@pytest.mark.parametrize("key", KEYS)
def test_hostile_answers_by_the_thousand(
    key: str, template: Path, workshop: Path
) -> None:
    attack(key, 100 if key in CHOICES else 800, template, workshop)


# --- Good answers


def render_at_random(examples: int, template: Path, workshop: Path) -> None:
    """Render that many sets of good answers, and check each and the style of all."""

    @thoroughly(examples)
    @given(good_answers(), st.sampled_from(WAYS))
    def as_answered(
        drawn: tuple[dict[str, str], dict[str, Any]],
        way: Way,
    ) -> None:
        answers, meaning = drawn
        output = workshop / str(len(os.listdir(workshop)))
        output.mkdir()
        assert way(template, answers, output) == ""
        project = output / answers["project_slug"]
        is_said(project, answers)
        said = inspect(project)
        lives = ["ACCESS_TOKEN_LIFETIME", "REFRESH_TOKEN_LIFETIME", "SESSION_LIFETIME"]
        for name, seconds in zip(lives, meaning["seconds"].values(), strict=True):
            assert said[name].total_seconds() == seconds
        assert said["AUTH_HEADER_TYPES"] == tuple(meaning["types"])
        expected = {name: value for name, (value, _) in meaning["claims"].items()}
        assert claims_written(project) == expected
        new = {name: field for name, (_, field) in meaning["claims"].items() if field}
        assert fields_written(project) == new
        for name, field in new.items():
            assert migration_written(project, name) == field
        toml = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
        assert toml["project"]["name"] == answers["project_slug"]
        assert answers["project_name"] in toml["project"]["description"]

    as_answered()
    # Imports cannot be sorted if some of the modules are missing.
    for command in (["check", "--ignore=I001"], ["format", "--exclude=*.md", "--diff"]):
        words = [find_ruff_bin(), *command, "--no-cache", str(workshop)]
        found = subprocess.run(words, capture_output=True, encoding="utf-8")
        assert found.returncode == 0, (found.stdout + found.stderr)[:3000]


def test_random_answers_are_rendered_as_meant(template: Path, workshop: Path) -> None:
    render_at_random(30, template, workshop)


@pytest.mark.full
def test_five_hundred_random_answers_are_rendered_as_meant(
    template: Path, workshop: Path
) -> None:
    render_at_random(500, template, workshop)
