"""Compose a project in the browser: worker.js calls :func:`compose`."""

from __future__ import annotations

import difflib
import json
import shutil
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).parent / "template"
FIRST = "config/jwt.py"  # of the files that are shown
# Cookiecutter imports these for networks, dates and settings, which a page never uses.
for name in ("arrow", "requests", "yaml"):
    sys.modules[name] = types.ModuleType(name)
sys.path.append(str(TEMPLATE))

from cookiecutter.main import cookiecutter  # noqa: E402

import jwt_answers  # noqa: E402
import jwt_prompts  # noqa: E402


def bake(given: dict[str, str]) -> Path:
    """Make the project; return its folder."""
    shutil.rmtree("output", ignore_errors=True)
    options: dict[str, Any] = {"extra_context": given, "output_dir": "output"}
    # A browser has no processes, which the hook would need; it only prints.
    options |= {"no_input": True, "default_config": True, "accept_hooks": False}
    return Path(cookiecutter(str(TEMPLATE), **options))


def read(project: Path) -> dict[str, list[str]]:
    """Return the lines of each file of a project."""
    files = [path for path in project.rglob("*") if path.is_file()]
    texts = {str(path.relative_to(project)): path.read_text("utf-8") for path in files}
    return {path: texts[path].splitlines() for path in texts}


def compare(old: list[str], new: list[str]) -> list[tuple[str, str]]:
    """Mark each line: of both files, ``+`` only of the new or ``-`` of the old."""
    lines = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        lines += [("-", line) for line in old[i:j] if tag != "equal"]
        lines += [(" " if tag == "equal" else "+", line) for line in new[k:m]]
    return lines


DEFAULT = read(bake({}))


def compose(text: str) -> str:
    """Return what is wrong with the answers, or make the project and pack it.

    Takes and returns JSON: the answers given; ``wrong`` and ``offered`` by question,
    the project's ``folder``, and its files, ``compared`` with those of the default
    answers. The project itself is then in ``project.zip``.
    """
    given = json.loads(text)
    answers: dict[str, str] = {}
    offered: dict[str, str] = {}
    for key in jwt_answers.KEYS:
        offered[key] = jwt_prompts.default(jwt_answers.SETTINGS[key], answers)
        answers[key] = jwt_answers.normalize(key, given.get(key, offered[key]))
    refusals = {key: jwt_answers.refusal(key, answers) for key in answers}
    wrong = {key: refusal for key, refusal in refusals.items() if refusal}
    if wrong:
        return json.dumps({"wrong": wrong, "offered": offered})
    project = bake(given)
    new = read(project)
    with zipfile.ZipFile("project.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in new:
            packed.write(project / path, Path(project.name, path))
    paths = sorted(new | DEFAULT, key=lambda path: (path != FIRST, path))
    files = {path: compare(DEFAULT.get(path, []), new.get(path, [])) for path in paths}
    made = {"folder": project.name, "compared": files}
    return json.dumps({"wrong": {}, "offered": offered, **made})
