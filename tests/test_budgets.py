"""Size is a feature: limits on lines of code and on lines of pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from projects import code_lines

HEAVIEST = {
    "login_field": "email",
    "algorithm": "ES256",
    "auth_header_type": "Bearer, JWT",
    "extra_claims": "email, full_name, role:str=member, since:date=2026-01-31, "
    "beta:bool",
    "refresh_token_in": "cookie",
    "accounts": "open",
}
#: What a part of a project may have, with default answers and with the heaviest.
BUDGETS = {"code": (1550, 2050), "tokens": (788, 886), "tests": (2500, 2900)}


def within(most: int, root: Path, paths: list[Path]) -> None:
    """Fail, with the largest modules, if they have more lines together."""
    counts = {path.relative_to(root).as_posix(): code_lines(path) for path in paths}
    total, largest = sum(counts.values()), sorted(counts, key=counts.__getitem__)[-8:]
    named = ", ".join(f"{name} {counts[name]}" for name in reversed(largest))
    assert total <= most, f"{total} lines of {most} at most: {named}"


@pytest.mark.parametrize("part", BUDGETS)
@pytest.mark.parametrize("answers", [{}, HEAVIEST], ids=["defaults", "heaviest"])
def test_a_rendered_project_is_as_small_as_promised(
    cookies: Any, answers: dict[str, str], part: str
) -> None:
    project = cookies.bake(extra_context=answers).project_path
    modules = [p for p in project.rglob("*.py") if "migrations" not in p.parts]
    tests = [p for p in modules if p.is_relative_to(project / "tests")]
    parts = {
        "code": [path for path in modules if path not in tests],
        "tokens": [path for path in modules if path.is_relative_to(project / "tokens")],
        "tests": tests,
    }
    within(BUDGETS[part][answers == HEAVIEST], project, parts[part])


@pytest.mark.parametrize(
    ("most", "patterns"),
    [
        (500, ["jwt_*.py", "hooks/*.py"]),
        (1000, ["bench/**/*.py", "scripts/**/*.py"]),
    ],
)
def test_the_template_is_as_small_as_promised(most: int, patterns: list[str]) -> None:
    within(most, ROOT, [path for name in patterns for path in ROOT.glob(name)])


@pytest.mark.parametrize("answers", [{}, HEAVIEST], ids=["defaults", "heaviest"])
def test_pages_are_short(cookies: Any, answers: dict[str, str]) -> None:
    project = cookies.bake(extra_context=answers).project_path
    pages = [ROOT / "README.md", ROOT / "README.ko.md"]
    most = dict.fromkeys(pages, 150)
    for folder in (ROOT, project):
        most |= dict.fromkeys(folder.glob("docs/*.md"), 200)
    most |= {project / "README.md": 200}
    most.pop(ROOT / "docs" / "benchmarks.md")
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in most}
    assert {str(path): lines[path] for path in most if lines[path] > most[path]} == {}
