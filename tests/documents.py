"""Reading documents, and running what they say in a shell of a new user."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from conftest import ROOT


def blocks(text: str, language: str) -> list[str]:
    """Return the code blocks in that language in a document."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def commands(name: str) -> list[str]:
    """Return the commands in a document of the template."""
    text = (ROOT / name).read_text("utf-8")
    return [line for block in blocks(text, "sh") for line in block.splitlines()]


def anchors(text: str) -> set[str]:
    """Return GitHub's anchors of the headings."""
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    plain = [re.sub(r"[^\w\- ]", "", title.lower()) for title in titles]
    return {title.replace(" ", "-") for title in plain}


def broken_links(document: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.S)
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    broken = []
    for link in (link for link in found if not link.startswith("https://")):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        exists = target.exists()
        if not exists or (anchor and anchor not in anchors(target.read_text("utf-8"))):
            broken.append(link)
    return broken


def bare_shell(command: str, folder: Path) -> str:
    """Run what a new user types, in a shell outside any virtual environment."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("VIRTUAL_ENV", "PYTHONPATH") and "PYTEST" not in name
    }
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout
