"""Show that the promises' tests can fail: run them on a plain setup of SimpleJWT.

    RENDERED_PYTHON=... python scripts/stock_promises.py

The tests ``tests/promises/`` of a rendered project run with the settings and URLs of
``bench/stock/``, which are those of the tutorials, and the table in
``docs/security-promises.md`` is written. ``RENDERED_PYTHON`` has the packages of a
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
from xml.etree import ElementTree as ET

from cookiecutter.main import cookiecutter

ROOT = Path(__file__).resolve().parent.parent
PYTHON = os.environ.get("RENDERED_PYTHON", sys.executable)
PAGE = ROOT / "docs" / "security-promises.md"


def outcomes(project: Path) -> dict[tuple[int, str], list[bool]]:
    """Run the tests on the plain setup: for each, which of its cases fail."""
    report = project / "report.xml"
    production = project / "config" / "settings" / "production.py"
    production.write_text("from stock.promises import *\nALLOWED_HOSTS = []\n", "utf-8")
    command = [PYTHON, "-m", "pytest", "-q", "--tb=no", "-n2", "tests/promises"]
    subprocess.run(
        [*command, "--ds=stock.promises", f"--junitxml={report}"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT / "bench")},
        check=False,
    )
    found = defaultdict(list)
    for case in ET.parse(report).iter("testcase"):
        name = re.match(r"test_(\d+)_(\w+)", case.attrib["name"])
        if not name:
            raise SystemExit(f"Which promise does {case.attrib['name']} test?")
        if case.find("skipped") is None:
            failed = case.find("failure") is not None or case.find("error") is not None
            found[int(name[1]), name[2].replace("_", " ")].append(failed)
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        options = {"no_input": True, "default_config": True, "output_dir": folder}
        found = outcomes(Path(cookiecutter(str(ROOT), **options)))
    lines = [
        f"| {promise} | {test} | {sum(failed)} of {len(failed)} |\n"
        for (promise, test), failed in sorted(found.items())
    ]
    head, line, _ = PAGE.read_text("utf-8").partition("|---|---|---|\n")
    PAGE.write_text("".join([head, line, *lines]), "utf-8")
    failing = sum(any(failed) for failed in found.values())
    print(f"{len(found)} tests of promises; {failing} fail on a plain project.")
