"""Make the pictures of the READMEs again: ``python scripts/screenshots.py``.

The prompts are answered in a real terminal, one of them wrong at first. The API docs
and the page that composes a project are opened in Chromium. Needs the packages of
``.[dev]``, chromedriver and npm.
"""

from __future__ import annotations

import io
import os
import pty
import re
import shlex
import sys
import tempfile
from contextlib import chdir
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from build_page import build
from first_token import TEMPLATE, served
from rich.console import Console
from rich.text import Text
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

sys.path.append(str(TEMPLATE / "tests"))
from browser import browser, show

IMAGES = TEMPLATE / "docs" / "images"
COLUMNS = 116
COMMAND = "uvx cookiecutter gh:OWNER/cookiecutter-django-simplejwt"
# What is typed, question by question; the second lifetime corrects the first.
TYPED = ["Shop API", "", "2", "15 minutes", "5 potatoes", "7 days", "90 days", "10"]
TYPED += ["", "email, full_name, role:str=member", "1", "1", "1"]
# The answers on the page that composes a project.
CHOSEN = "project_name=Shop API&access_token_lifetime=15 minutes&algorithm=ES256"
CHOSEN += "&extra_claims=email, role:str=member"


def terminal(arguments: list[str], typed: list[str], folder: str) -> str:
    """Run a command in a terminal, type an answer at each prompt, return the screen."""
    os.environ |= {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color", "PWD": folder}
    screen, answers = b"", iter(typed)

    def read(descriptor: int) -> bytes:
        nonlocal screen
        screen += (data := os.read(descriptor, 65536))
        if screen.endswith(b"\x1b[0m: "):
            os.write(descriptor, next(answers).encode() + b"\n")
        return data

    with chdir(folder):
        pty.spawn(arguments, read)
    return screen.decode().replace("\r\n", "\n")


def prompts(folder: str) -> None:
    """Draw the prompts, the table of the choices and the next steps."""
    cookiecutter = [sys.executable, "-m", "cookiecutter", str(TEMPLATE)]
    text = terminal([*cookiecutter, "--default-config"], TYPED, folder)
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text("$ ", "green") + Text(COMMAND))
    console.print(Text.from_ansi(text))
    svg = console.export_svg(title=shlex.split(COMMAND)[1])
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # remote ones
    (IMAGES / "prompts.svg").write_text(svg, "utf-8")


def page(folder: str) -> None:
    """Photograph the API docs of the project that the prompts have made."""
    project = Path(folder, "shop_api")
    with served(project) as url, browser(Path(folder, "profile")) as chrome:
        show(chrome, 1280)
        chrome.get(f"{url}/api/docs/")
        last = chrome.find_element(
            By.CSS_SELECTOR, ".opblock-tag-section:has(#operations-tag-users)"
        )
        show(chrome, 1280, int(last.rect["y"] + last.rect["height"]))
        chrome.save_screenshot(str(IMAGES / "docs.png"))


def composer(folder: str) -> None:
    """Photograph the page that composes a project."""
    build(Path(folder, "site"))
    handler = partial(SimpleHTTPRequestHandler, directory=str(Path(folder, "site")))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    with browser(Path(folder, "composer")) as chrome:
        show(chrome, 1280, 860)
        chrome.get(f"http://127.0.0.1:{server.server_port}/?{CHOSEN}")
        button = chrome.find_element(By.ID, "download")
        WebDriverWait(chrome, 120).until(lambda _: button.is_enabled())
        chrome.save_screenshot(str(IMAGES / "page.png"))


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        prompts(temporary)
        page(temporary)
        composer(temporary)
