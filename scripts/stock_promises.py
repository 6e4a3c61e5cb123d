"""Show that the promises' tests can fail: run them on a plain setup of SimpleJWT.

    RENDERED_PYTHON=... python scripts/stock_promises.py

Runs ``tests/promises/`` of a rendered project with the settings and URLs of
``bench/stock/``, which are those of the tutorials, and writes the table in
``docs/security-promises.md``. ``RENDERED_PYTHON`` needs the packages of a
rendered project.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from cookiecutter.main import cookiecutter

ROOT = Path(__file__).resolve().parent.parent
PYTHON = os.environ.get("RENDERED_PYTHON", sys.executable)
PAGE = ROOT / "docs" / "security-promises.md"
# Together they have all promises; what is in several counts in the last of them.
ALL = {"algorithm": "ES256", "refresh_token_in": "cookie", "accounts": "open"}


def outcomes(project: Path) -> dict[tuple[int, str], list[bool]]:
    """Run the tests on the plain setup, and return which cases of each fail."""
    production = project / "config" / "settings" / "production.py"
    production.write_text("from stock.promises import *\nALLOWED_HOSTS = []\n", "utf-8")
    command = [PYTHON, "-m", "pytest", "-n2", "-q", "--tb=no", "-rfEp"]
    printed = subprocess.run(
        [*command, "--ds=stock.promises", "tests/promises"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT / "bench")},
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    found = defaultdict(list)
    line = r"^(PASSED|FAILED|ERROR) \S+::test_(\d+)_(\w+)"
    for outcome, promise, name in re.findall(line, printed, re.M):
        found[int(promise), name.replace("_", " ")].append(outcome != "PASSED")
    return found


if __name__ == "__main__":
    found: dict[tuple[int, str], list[bool]] = {}
    with tempfile.TemporaryDirectory() as folder:
        options = {"no_input": True, "default_config": True, "accept_hooks": False}
        for number, answers in enumerate((ALL, {})):
            output = {"extra_context": answers, "output_dir": f"{folder}/{number}"}
            found |= outcomes(Path(cookiecutter(str(ROOT), **options, **output)))
    lines = [
        f"| {promise} | {test} | {sum(failed)} of {len(failed)} |\n"
        for (promise, test), failed in sorted(found.items())
    ]
    head, line, _ = PAGE.read_text("utf-8").partition("|---|---|---|\n")
    PAGE.write_text("".join([head, line, *lines]), "utf-8")
    failing = sum(any(failed) for failed in found.values())
    print(f"{len(found)} tests of promises; {failing} fail on a plain project.")
