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
from conftest import DEFAULTS, ROOT, SETTINGS
from projects import FAMILIES

import jwt_prompts

SOURCE = ROOT / "{{cookiecutter.project_slug}}"
#: The files: ``path``, then ``rendered`` if it is, and the answers that it needs.
INVENTORY = {
    path: words
    for line in (ROOT / "tests" / "inventory.txt").read_text("utf-8").splitlines()
    for path, *words in [line.split()]
}
JINJA = re.compile(r"\{\{|\{%|\{#|# jinja:")
#: Files whose own language looks like Jinja.
ALIKE = {"ci.yml", "docs.html", "api.http", "api.rest"}
ALGORITHMS = [{"algorithm": algorithm} for algorithm in SETTINGS["algorithm"]]


def tracked(folder: Path) -> list[Path]:
    """Return the files of a project, without what running it leaves behind."""
    left = {"__pycache__", ".ruff_cache", ".mypy_cache", ".pytest_cache", ".local"}
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in files if not left & set(path.parts))


def expected(answers: dict[str, str]) -> list[str]:
    """Return the files of a project with these answers."""
    given = {f"{key}={answer}" for key, answer in (DEFAULTS | answers).items()}
    needs = {path: {*words} - {"rendered"} for path, words in INVENTORY.items()}
    return sorted((path for path in needs if needs[path] <= given), key=Path)


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
    assert [path.relative_to(project).as_posix() for path in files] == expected(answers)
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


def test_what_holds_a_mark_is_rendered_and_everything_else_copied() -> None:
    """Rendering a file takes about ten times as long as copying it."""
    names = {path.relative_to(SOURCE).as_posix(): path for path in tracked(SOURCE)}
    copied = {name.replace("\\", "/") for name in jwt_prompts.copied()}
    plain = {name for name, words in INVENTORY.items() if "rendered" not in words}
    assert copied == plain
    alike = set(SETTINGS["_copy_without_render"])
    assert not any(JINJA.search(names[n].read_text("utf-8")) for n in plain - alike)
