"""The template's documents are true: commands run, links work, translations agree."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from urllib.request import urlopen

import pytest
from conftest import ROOT
from development import Shell
from documents import bare_shell, blocks, broken_links, commands
from servers import HOST

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
ADDRESS = re.compile(r"(gh:|https://github\.com/)OWNER/cookiecutter-django-simplejwt")

# Commands that install packages run in the full tier, in a clean clone.
FIRST_TOKEN = (
    "python3 -m venv .venv && .venv/bin/pip install -q cookiecutter uv"
    " && .venv/bin/python scripts/first_token.py"
)
INSTALL = 'python3 -m venv .venv && .venv/bin/pip install -q ".[dev]"'
TEST = ".venv/bin/python -m pytest -n 2"
LINT = ".venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy"
ALL_TESTS = f"{TEST} -m full"
SITE = (
    "python3 -m venv .venv && .venv/bin/python scripts/build_page.py site"
    " && .venv/bin/python -m http.server --bind 127.0.0.1 --directory site"
)
IN_A_CLONE = {SITE, FIRST_TOKEN, INSTALL, f"{INSTALL} && {TEST}", TEST, ALL_TESTS, LINT}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_within_the_repository_leads_somewhere(document: Path) -> None:
    assert broken_links(document) == []


def test_both_languages_have_the_same_parts_commands_and_pictures() -> None:
    def skeleton(name: str) -> list[object]:
        text = (ROOT / name).read_text("utf-8")
        prose = re.sub(r"```.*?```", "", text, flags=re.S)
        return [
            [len(marks) for marks in re.findall(r"^(#+) ", prose, re.M)],
            blocks(text, "sh"),
            re.findall(r"!\[.*?\]\((.+?)\)", text),
            [row.count("|") for row in re.findall(r"^\|.+$", prose, re.M)],
            sorted(set(re.findall(r"`([a-z_]+)`", prose))),
        ]

    assert skeleton("README.md") == skeleton("README.ko.md")


def test_the_table_of_questions_is_that_of_the_questions() -> None:
    settings = json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))
    keys = [key for key in settings if not key.startswith("_")]
    text = (ROOT / "README.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \|.*\|.*\|$", text, re.M)[: len(keys)] == keys
    for algorithm in settings["algorithm"]:
        assert f"`{algorithm}`" in text


# --- The documents of the template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clean clone of the template with uncommitted changes committed."""
    clone = tmp_path_factory.mktemp("clone") / "cookiecutter-django-simplejwt"
    listing = ["git", "ls-files", "-z", "-co", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, names.decode().split("\0")):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    commit(clone)
    return clone


def commit(folder: Path) -> None:
    """Put everything in a folder under version control."""
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "All"]):
        subprocess.run([*git, *command], cwd=folder, check=True)


@pytest.fixture
def shell(template: Path, tmp_path: Path) -> Shell:
    """Return a shell that uses the clone as the published template."""
    addresses = {match: str(template) for match in published()}
    return Shell(tmp_path / "tools", addresses)


def published() -> set[str]:
    """Return the spellings of the template's address in the documents."""
    text = "".join(path.read_text("utf-8") for path in DOCUMENTS)
    page = ROOT / "{{cookiecutter.project_slug}}" / "docs" / "changing.md"
    text += page.read_text("utf-8")
    return {match[0] for match in ADDRESS.finditer(text)}


GENERATING = [command for command in commands("README.md") if ADDRESS.search(command)]


@pytest.mark.parametrize("command", GENERATING)
def test_a_command_that_generates_does(
    command: str, shell: Shell, tmp_path: Path
) -> None:
    printed = shell.run(command, tmp_path, keys="\n" * 20)
    assert "uv run manage.py runserver" in printed
    assert len(list(tmp_path.glob("*/manage.py"))) == 1


def test_the_commands_for_updating_work(shell: Shell, tmp_path: Path) -> None:
    create, *by_cruft, replay, look = commands("docs/updating.md")
    shell.run(create, tmp_path)
    project = tmp_path / "my_api"
    commit(project)
    for command in by_cruft:
        printed = shell.run(command, project)
        if command.endswith("diff"):
            assert printed == ""
    shell.run(replay, project)
    assert shell.run(look, project) == ""
    page = (project / "docs" / "changing.md").read_text("utf-8")
    assert [replay, look] == blocks(page, "sh")[-1].splitlines()


def test_every_other_command_is_run_in_a_clean_clone() -> None:
    apart = {"docs/updating.md", "docs/changing-choices.md"}
    apart |= {"docs/mutation.md", "SECURITY.md"}  # what runs for long, in a project
    here = {*GENERATING, *(line for name in apart for line in commands(name))}
    here |= {"uv run manage.py migrate && uv run manage.py runserver", "uv run pytest"}
    names = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
    assert {line for name in names for line in commands(name)} - here == IN_A_CLONE


@pytest.mark.full
def test_the_first_command_shows_a_token_that_was_refreshed_and_used(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = shutil.copytree(template, tmp_path / "clone")
    database = tmp_path / "mine.sqlite3"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{database}")
    printed = bare_shell(FIRST_TOKEN, clone)
    assert not database.exists()
    tokens = re.findall(r"^eyJ[\w-]+\.[\w-]+\.[\w-]+$", printed, re.M)
    assert len(set(tokens)) == 2
    assert printed.count('"username": "ada",\n  "email"') == 2


@pytest.mark.full
def test_the_second_command_finds_the_tests_and_the_others_pass(
    template: Path, tmp_path: Path
) -> None:
    clone = shutil.copytree(template, tmp_path / "clone")
    assert "test_documents.py" in bare_shell(f"{INSTALL} && {TEST} --co -q", clone)
    bare_shell(f"{ALL_TESTS} --co -q", clone)
    bare_shell(LINT, clone)


@pytest.mark.full
def test_the_line_that_serves_the_page_does(template: Path, tmp_path: Path) -> None:
    clone = shutil.copytree(template, tmp_path / "clone")
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
    shell = Shell(tmp_path / "tools", {"http.server": f"http.server {port}"})
    page = b""
    with shell.running(SITE, clone, {}):
        for _ in range(1200):
            try:
                page = urlopen(f"http://{HOST}:{port}/").read()
                break
            except OSError:  # not yet
                time.sleep(0.1)
    assert b"cookiecutter-django-simplejwt" in page
