"""Rendering: these files and no others, every one of them well formed."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, SETTINGS
from projects import FAMILIES, code_lines

SOURCE = ROOT / "{{cookiecutter.project_slug}}"
INVENTORY = (ROOT / "tests" / "inventory.txt").read_text("utf-8").split()
JINJA = re.compile(r"\{\{|\{%|\{#|# jinja:")
#: Files whose own language looks like Jinja.
COPIED = {"ci.yml", "docs.html"}
ALIKE = COPIED | {"api.http", "api.rest"}
ALGORITHMS = [{"algorithm": algorithm} for algorithm in SETTINGS["algorithm"]]


def tracked(folder: Path) -> list[Path]:
    """Return the files of a project, without what running it leaves behind."""
    left = {"__pycache__", ".ruff_cache", ".mypy_cache", ".pytest_cache", ".local"}
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in files if not left & set(path.parts))


def ruff(folder: Path, *arguments: str) -> None:
    """Run ruff with the rendered project's settings; fail with its report."""
    config = "--config", str(SOURCE / "pyproject.toml"), "--no-cache"
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, *config, "."],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("answers", [*FAMILIES, *ALGORITHMS], ids=str)
def test_a_rendered_project_is_whole_and_well_formed(
    cookies: Any, answers: dict[str, str]
) -> None:
    project = cookies.bake(extra_context=answers).project_path
    files = tracked(project)
    assert [path.relative_to(project).as_posix() for path in files] == INVENTORY
    for path in files:
        text = path.read_text("utf-8")
        if path.name not in ALIKE:
            assert not JINJA.search(text), path
        assert text == "" or text.endswith("\n"), path
        match path.suffix:
            case ".py":
                compile(text, path, "exec")
            case ".toml":
                tomllib.loads(text)
            case ".yml" | ".yaml":
                list(yaml.safe_load_all(text))
    ruff(project, "format", "--check")
    ruff(project, "check")


def test_the_unrendered_tree_is_formatted_and_linted() -> None:
    ruff(SOURCE, "format", "--check")
    ruff(SOURCE, "check", "--extend-ignore", "F821")  # names that only Jinja knows


def test_files_without_answers_are_copied_and_the_others_rendered() -> None:
    plain = {
        path.relative_to(SOURCE).as_posix()
        for path in tracked(SOURCE)
        if not JINJA.search(path.read_text("utf-8")) or path.name in COPIED
        if "{%" not in path.name  # cookiecutter would copy what is not wanted, too
    }
    assert set(SETTINGS["_copy_without_render"]) == plain


def test_the_heart_is_as_small_as_promised(cookies: Any) -> None:
    """Lines of code: no blank lines, comments and docstrings."""
    tokens = cookies.bake().project_path / "tokens"
    assert sum(map(code_lines, tokens.rglob("*.py"))) <= 700
    own = [ROOT / "jwt_answers.py", *(ROOT / "hooks").glob("*.py")]
    assert sum(map(code_lines, own)) <= 500
