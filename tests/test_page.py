"""The page that composes a project makes the same files as cookiecutter."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from conftest import KEYS, ROOT, SETTINGS, render
from development import Shell
from projects import FAMILIES
from servers import HOST

import jwt_answers

pytest.importorskip("selenium")

from browser import CHROMEDRIVER, CHROMIUM, browser, show
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

pytestmark = [
    pytest.mark.skipif(
        not (CHROMIUM and CHROMEDRIVER), reason="chromium and chromedriver are missing"
    ),
    pytest.mark.skipif(not shutil.which("npm"), reason="npm is not installed"),
]
PAGE = ROOT / "docs" / "page"
ADDRESS = "gh:OWNER/cookiecutter-django-simplejwt"
CHOICES = {key: choices for key, choices in SETTINGS.items() if key in KEYS}
LAST = {key: v[-1] for key, v in CHOICES.items() if isinstance(v, list)}
WRONG = {
    "project_name": "{{ 7 * 7 }}",
    "project_slug": "../evil",
    "access_token_lifetime": "5",
    "refresh_token_lifetime": "1.5h",
    "session_lifetime": "1 month",
    "auth_header_type": "Bea rer",
    "extra_claims": "emial",
}
HOSTILE = """"><img src=x onerror=hacked()> '$(touch hacked)`touch hacked`; & \\"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the site, with its policy also for the worker."""

    def end_headers(self) -> None:
        text = (PAGE / "index.html").read_text("utf-8")
        [policy] = re.findall(r'Policy" content="(.*?)"', text, re.S)
        self.send_header("Content-Security-Policy", " ".join(policy.split()))
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer((HOST, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the site, which the first process that needs it builds."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    try:
        (base / "building").mkdir()
    except FileExistsError:
        for _ in range(1200):
            if (base / "site").exists():
                break
            time.sleep(0.1)
        return base / "site"
    build = [sys.executable, "scripts/build_page.py", str(base / "unfinished")]
    subprocess.run(build, cwd=ROOT, check=True)
    return (base / "unfinished").rename(base / "site")


@pytest.fixture(scope="module")
def url(site: Path) -> Iterator[str]:
    with served(site) as url:
        yield url


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def chrome(
    tmp_path_factory: pytest.TempPathFactory, downloads: Path
) -> Iterator[Chrome]:
    with browser(tmp_path_factory.mktemp("profile")) as chrome:
        allowed = {"behavior": "allow", "downloadPath": str(downloads)}
        chrome.execute_cdp_cmd("Browser.setDownloadBehavior", allowed)
        chrome.implicitly_wait(0)
        yield chrome


@pytest.fixture(scope="module")
def page(chrome: Chrome, url: str) -> Chrome:
    chrome.get(url)
    assert status(chrome) == "No files differ from those of the default answers."
    return chrome


@pytest.fixture(autouse=True)
def _quiet(chrome: Chrome) -> Iterator[None]:
    """Fail if the console has messages."""
    yield
    assert chrome.get_log("browser") == []  # type: ignore[no-untyped-call]


def status(chrome: Chrome) -> str:
    """Return the page's status as soon as it is done."""
    script = """
        const result = document.getElementById("result");
        const text = document.getElementById("status").textContent;
        return result.ariaBusy === "false" ? text : "";
    """
    wait = WebDriverWait(chrome, 120, 0.05)
    return str(wait.until(lambda chrome: chrome.execute_script(script)))


def text(chrome: Chrome, name: str) -> str:
    return str(chrome.find_element(By.ID, name).get_property("textContent"))


def answer(chrome: Chrome, answers: dict[str, str]) -> None:
    """Start over, and give these answers."""
    chrome.find_element(By.CSS_SELECTOR, "[type=reset]").click()
    fill = """
        const form = document.getElementById("form");
        for (const [key, value] of Object.entries(arguments[0]))
            form.elements[key].value = value;
        for (const kind of ["input", "change"]) form.dispatchEvent(new Event(kind));
    """
    chrome.execute_script(fill, answers)
    status(chrome)


def in_command(chrome: Chrome) -> dict[str, str]:
    """Return the answers of the command that the page shows."""
    wait = WebDriverWait(chrome, 30, 0.05)
    command = wait.until(lambda chrome: text(chrome, "command"))
    words = shlex.split(command.replace("\\\n", ""))
    assert words[3:5] == ["--no-input", "--default-config"]
    return dict(word.split("=", 1) for word in words[5:])


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return the bytes and the mode, as git knows them, of each file."""
    return {
        path.relative_to(folder).as_posix(): (
            path.read_bytes(),
            0o755 if path.stat().st_mode & 0o100 else 0o644,
        )
        for path in folder.rglob("*")
        if path.is_file()
    }


def unpacked(chrome: Chrome, downloads: Path) -> dict[str, tuple[bytes, int]]:
    """Press the button, and return the same for the zip."""
    chrome.find_element(By.ID, "download").click()
    wait = WebDriverWait(chrome, 30, 0.05)
    [found] = wait.until(lambda _: [*downloads.glob("*.zip")])
    with zipfile.ZipFile(found) as packed:
        files = {
            item.filename: (packed.read(item), item.external_attr >> 16 & 0o777)
            for item in packed.infolist()
        }
    found.unlink()
    assert {name.split("/")[0] for name in files} == {found.stem}
    return files


@pytest.mark.parametrize("answers", [*FAMILIES, LAST], ids=["0", "1", "2", "3", "last"])
def test_the_zip_and_the_command_give_the_same_project(
    page: Chrome, downloads: Path, answers: dict[str, str], tmp_path: Path
) -> None:
    answer(page, answers)
    assert in_command(page) == answers
    output = tmp_path / "output"
    output.mkdir()
    template = {ADDRESS: shlex.quote(str(ROOT))}
    Shell(tmp_path / "tools", template).run(text(page, "command"), output)
    assert unpacked(page, downloads) == contents(output)


def test_every_wrong_answer_is_refused_as_at_the_prompt(page: Chrome) -> None:
    answer(page, WRONG)
    defaults = {key: choices[0] for key, choices in CHOICES.items()}
    for key in CHOICES:
        refusal = jwt_answers.refusal(key, defaults | WRONG) if key in WRONG else ""
        assert text(page, f"{key}-wrong") == refusal
    assert status(page) == f"Please correct {len(WRONG)} answers."
    assert not page.find_element(By.ID, "download").is_enabled()


def test_an_emptied_answer_is_the_default_and_none_is_none(page: Chrome) -> None:
    answer(page, {"access_token_lifetime": "5", "extra_claims": "none"})
    assert status(page) == "Please correct one answer."
    page.find_element(By.ID, "access_token_lifetime").send_keys(Keys.BACKSPACE)
    assert "files differ" in status(page)
    assert in_command(page) == {"extra_claims": "none"}
    Select(page.find_element(By.ID, "file")).select_by_visible_text("tokens/claims.py")
    assert '-         "username": user.username' in text(page, "preview")


def test_the_files_that_differ_are_named_with_their_differences(
    page: Chrome, tmp_path: Path
) -> None:
    default, changed = render(tmp_path), render(tmp_path, project_slug="other", **LAST)
    old, new = contents(default), contents(changed)
    answer(page, {"project_slug": "other", **LAST})
    menu = page.find_element(By.ID, "file")
    first, *_ = menu.find_elements(By.TAG_NAME, "option")
    assert first.text == "config/jwt.py"
    Select(menu).select_by_visible_text(first.text)
    group = menu.find_elements(By.CSS_SELECTOR, "[label=Different] option")
    shown = {first.text, *(option.text for option in group)}
    assert shown == {path for path in old | new if old.get(path) != new.get(path)}
    lines = text(page, "preview").splitlines()
    for content, marks in ((old, " -"), (new, " +")):
        code = [line[2:] for line in lines if line[0] in marks]
        assert "\n".join([*code, ""]).encode() == content["config/jwt.py"][0]
    for tag, mark in (("del", "-"), ("ins", "+")):
        marked = page.find_elements(By.CSS_SELECTOR, f"#preview {tag}")
        assert len(marked) == sum(line[0] == mark for line in lines) > 0


def test_the_form_asks_the_questions_in_their_words(page: Chrome) -> None:
    answer(page, {})
    for key, choices in CHOICES.items():
        prompt = SETTINGS["__prompts__"][key]
        control, *others = page.find_elements(By.NAME, key)
        name, hint = control.accessible_name, text(page, f"{key}-hint")
        if others:
            names = [radio.accessible_name for radio in (control, *others)]
            assert names == [prompt[choice] for choice in choices]
            name = control.find_element(By.XPATH, "../../legend").text
        elif isinstance(choices, list):
            for choice in choices:
                assert control.get_property("value") == choice
                assert text(page, f"{key}-hint") == prompt[choice]
                control.send_keys(Keys.ARROW_DOWN)
            hint = ""
        question = prompt["__prompt__"] if isinstance(choices, list) else prompt
        assert question == (f"{name} ({hint})" if hint else name)
    status(page)


def test_everything_is_reached_by_keyboard(page: Chrome) -> None:
    answer(page, {})
    page.find_element(By.ID, "template").send_keys("")
    wanted = [*KEYS, *"download copy link file preview".split()]
    reached: list[str] = []
    while "preview" not in reached and len(reached) < 99:
        ActionChains(page).send_keys(Keys.TAB).perform()
        focused = page.switch_to.active_element
        name = focused.get_attribute("name") if focused.tag_name == "input" else None
        reached.append(name or focused.get_attribute("id") or "")
        assert focused.accessible_name
    assert [name for name in reached if name in wanted] == wanted


@pytest.mark.parametrize("width", [1280, 960, 768, 390, 320])
def test_nothing_is_wider_than_the_window(page: Chrome, width: int) -> None:
    show(page, width)
    try:
        for answers in (FAMILIES[1], FAMILIES[3], WRONG):
            answer(page, answers)
            script = "return document.documentElement.scrollWidth"
            assert page.execute_script(script) == width
    finally:
        show(page, 1280)


def test_a_hostile_link_does_no_harm(chrome: Chrome, url: str, tmp_path: Path) -> None:
    keys = [key for key in CHOICES if not isinstance(CHOICES[key], list)]
    chrome.get(f"{url}?{urlencode(dict.fromkeys([*keys, '__proto__'], HOSTILE))}")
    assert status(chrome).startswith("Please correct")
    assert in_command(chrome) == dict.fromkeys(keys, HOSTILE)
    assert HOSTILE in text(chrome, "notice")
    answer(chrome, {"project_name": HOSTILE})
    assert "files differ" in status(chrome)
    added = "img, iframe, script:not([src])"
    assert chrome.find_elements(By.CSS_SELECTOR, added) == []
    template = {ADDRESS: shlex.quote(str(ROOT))}
    Shell(tmp_path / "tools", template).run(text(chrome, "command"), tmp_path)
    assert not [*tmp_path.rglob("hacked")]


def test_form_and_command_work_without_python(
    chrome: Chrome, site: Path, tmp_path: Path
) -> None:
    without = shutil.ignore_patterns("pyodide")
    copy = shutil.copytree(site, tmp_path / "site", ignore=without)
    with served(copy) as url:
        chrome.get(f"{url}?algorithm=ES256")
        assert status(chrome).startswith("Python could not be loaded.")
        answer(chrome, {"login_field": "email"})
        assert in_command(chrome) == {"login_field": "email"}


def test_a_worker_that_dies_is_reported(
    chrome: Chrome, site: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(site, tmp_path / "site")
    [worker] = copy.glob("*/worker.js")
    dies = """
        addEventListener("message", (event) => {
            if (event.data !== "{}") { event.stopImmediatePropagation(); close(); }
        });
    """
    worker.write_text(f"{dies}\n{worker.read_text('utf-8')}", "utf-8")
    with served(copy) as url:
        chrome.get(url)
        assert "files differ" in status(chrome)
        answer(chrome, {"algorithm": "ES256"})
        assert status(chrome).startswith("Python has stopped.")
        assert not chrome.find_element(By.ID, "download").is_enabled()


@pytest.fixture
def saver(chrome: Chrome) -> Iterator[Chrome]:
    """Return a browser whose data saver is on."""
    command = "Emulation.setDataSaverOverride"
    chrome.execute_cdp_cmd(command, {"dataSaverEnabled": True})
    yield chrome
    chrome.execute_cdp_cmd(command, {})


def test_a_link_restores_its_answers_and_names_those_it_cannot(
    saver: Chrome, url: str
) -> None:
    answers = {**FAMILIES[1], **LAST}
    saver.get(url)
    answer(saver, answers)
    saver.get(saver.current_url)
    assert in_command(saver) == answers
    assert text(saver, "notice") == ""
    saver.get(f"{url}?algorithm=HS1&login_field=email&acounts=open")
    assert in_command(saver) == {"login_field": "email"}
    assert text(saver, "notice") == "Unknown in this link: algorithm=HS1, acounts=open."


def test_with_the_data_saver_on_python_waits_for_a_button(
    saver: Chrome, site: Path, url: str
) -> None:
    saver.get(f"{url}?algorithm=ES256")
    assert in_command(saver) == {"algorithm": "ES256"}
    button = saver.find_element(By.ID, "load")
    files = [path for path in site.glob("*/**/*") if path.is_file()]
    size = sum(len(gzip.compress(path.read_bytes())) for path in files)
    assert f"{size / 1e6:.0f} MB" in button.text
    used = "return performance.getEntriesByType('resource').map(entry => entry.name)"
    assert not [name for name in saver.execute_script(used) if "worker" in name]
    button.click()
    assert "files differ" in status(saver)


def test_another_pyodide_than_the_pinned_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import build_page

    monkeypatch.setattr(build_page, "INTEGRITY", f"sha512-{'A' * 86}==")
    with pytest.raises(SystemExit, match="INTEGRITY"):
        build_page.runtime(tmp_path, tmp_path)
    assert not (tmp_path / "pyodide.mjs").exists()


def test_the_files_of_two_deployments_cannot_be_mixed(site: Path) -> None:
    index = site / "index.html"
    [version] = (path for path in site.iterdir() if path != index)
    used = re.findall(r'(?:src|href)="([^:"]+)"', index.read_text("utf-8"))
    assert {Path(path).parent.name for path in used} == {version.name}
    assert all((site / path).is_file() for path in used)
    contents = hashlib.sha256()
    for path in sorted(path for path in version.rglob("*") if path.is_file()):
        contents.update(path.read_bytes())
    assert contents.hexdigest().startswith(version.name)


def test_the_page_is_small() -> None:
    files = [path.read_text("utf-8") for path in PAGE.glob("*.*")]
    lines = [line for file in files for line in file.splitlines()]
    assert len(lines) <= 400
    assert max(map(len, lines)) <= 100
