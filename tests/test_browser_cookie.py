"""The cookie with the refresh token in a real browser: our own pages, and hostile ones.

Pages of our own run the very client that the project's ``docs/clients.md`` shows. Caddy
serves the pages and ends TLS; all names, such as ``evil.test``, lead to this machine.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import pytest

pytest.importorskip("selenium")

from browser import CHROMEDRIVER, CHROMIUM, browser, execute, log_in, section
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from servers import HOST, PASSWORD, PYTHON, Project, Server, eventually, free_port

CADDY = shutil.which("caddy")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER and CADDY),
    reason="chromium, chromedriver or caddy is not installed",
)
ADA = {"username": "ada", "password": PASSWORD}
MALLORY = {"username": "mallory", "password": PASSWORD, "refresh": "a.b.c"}
NAME = "my_api_refresh_token"
USERS = f"""
from users.models import User
User.objects.create_superuser("ada", "ada@example.com", "{PASSWORD}")
User.objects.create_user("mallory", "mallory@example.com", "{PASSWORD}")
"""
# A page that uses the client; ``soon`` is for doing things at once in several tabs.
PAGE = """
<!doctype html>
<script type="module">
  import * as client from "./client.js";
  window.client = client;
  window.soon = (time, action) => {
    const then = new Promise((resolve) => setTimeout(resolve, time - Date.now()));
    window.done = then.then(action);
  };
</script>
"""
CADDYFILE = """
{{
    admin off
    skip_install_trust
    auto_https disable_redirects
}}
{api} {{
    bind 127.0.0.1
    tls internal
    reverse_proxy 127.0.0.1:{port}
}}
{secure} {{
    bind 127.0.0.1
    tls internal
    file_server
}}
{plain} {{
    bind 127.0.0.1
    file_server
}}
"""


class World(NamedTuple):
    """Where the API is, a page that may call it, and pages that may not."""

    api: str
    page: str
    hostile: list[str]
    cookie: str


class Stage:
    """A project, served in production and in development, and pages around it."""

    def __init__(self, folder: Path) -> None:
        self.pages = folder / "pages"
        self.database = folder / "db.sqlite3"
        url = f"sqlite:///{self.database}"
        self.project = Project(folder, url, refresh_token_in="cookie")
        self.project.manage("migrate", "--verbosity=0")
        self.project.manage("collectstatic", "--no-input", "--verbosity=0")
        self.project.manage("shell", "-c", USERS)
        self.production, self.development, plain, other, tls, other_tls = (
            free_port() for _ in range(6)
        )
        self.listed = [
            f"http://localhost:{plain}",
            f"https://app.example.test:{tls}",
            f"http://{HOST}:{plain}",  # not the site of any API here
        ]
        hostile = [f"http://localhost:{other}", f"http://evil.test:{other}"]
        hostile_tls = [
            f"https://evil.example.test:{tls}",
            f"https://app.example.test:{other_tls}",
            f"https://evil.test:{tls}",
        ]
        self.plain = [self.listed[0], self.listed[2], *hostile]
        self.secure = [self.listed[1], *hostile_tls]
        local, secret = self.listed[0], f"__Host-{NAME}"
        development = f"http://localhost:{self.development}"
        production = f"http://localhost:{self.production}"
        api = f"https://api.example.test:{tls}"
        self.worlds = {
            "development": World(development, f"{local}/development/", hostile, NAME),
            "localhost": World(production, f"{local}/localhost/", hostile, secret),
            "tls": World(api, f"{self.listed[1]}/tls/", hostile_tls, secret),
        }

    def write_pages(self) -> None:
        """Write a page for each world, with the client from the documentation."""
        self.pages.mkdir()
        shutil.copy(Path(__file__).with_name("hostile.html"), self.pages)
        text = (self.project.folder / "docs" / "clients.md").read_text("utf-8")
        [client] = re.findall(r"^```js\n(const API.*?)^```$", text, re.M | re.S)
        assert len(client.splitlines()) <= 30
        for name, world in self.worlds.items():
            folder = self.pages / name
            folder.mkdir()
            (folder / "index.html").write_text(PAGE)
            script = client.replace("http://localhost:8000", world.api)
            (folder / "client.js").write_text(script)

    @contextmanager
    def serve(self) -> Iterator[Server]:
        """Run Caddy and both servers until the block ends; yield production's."""
        config = self.pages / "Caddyfile"
        sites = {"secure": ", ".join(self.secure), "plain": ", ".join(self.plain)}
        api, port = self.worlds["tls"].api, self.production
        config.write_text(CADDYFILE.format(api=api, port=port, **sites))
        home = dict.fromkeys(("XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(self.pages))
        caddy = [str(CADDY), "run", "--adapter", "caddyfile", "--config", str(config)]
        address = f"{HOST}:{self.development}"
        runserver = [PYTHON, "manage.py", "runserver", "--noreload", address]
        database = {"DATABASE_URL": self.project.environment["DATABASE_URL"]}
        production = {
            "DJANGO_ALLOWED_HOSTS": f"{HOST},localhost,api.example.test",
            "CORS_ALLOWED_ORIGINS": ",".join(self.listed),
            "TRUSTED_PROXIES": "1",
        }
        with (
            running(caddy, self.pages, home),
            running(runserver, self.project.folder, database),
            self.project.serve(production, workers=1, port=self.production) as server,
        ):
            for url in (
                f"http://{address}/health/live/",
                self.worlds["localhost"].page,
            ):
                eventually(partial(answers, url))
            yield server

    def sessions(self) -> list[tuple[Any, ...]]:
        """Return the sessions in the database, the oldest first."""
        with sqlite3.connect(self.database) as connection:
            query = "SELECT seq, revoked, user_id, id FROM tokens_loginsession"
            return connection.execute(f"{query} ORDER BY created").fetchall()


@contextmanager
def running(
    command: list[str], folder: Path, environment: dict[str, str]
) -> Iterator[None]:
    """Run a program in ``folder`` until the block ends."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def answers(url: str) -> bool:
    return bool(urlopen(url).status == 200)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    stage = Stage(tmp_path_factory.mktemp("stage"))
    stage.write_pages()
    return stage


@pytest.fixture(scope="module", autouse=True)
def server(stage: Stage) -> Iterator[Server]:
    with stage.serve() as server:
        yield server


@pytest.fixture
def world(stage: Stage, request: pytest.FixtureRequest) -> World:
    return stage.worlds[request.param]


@pytest.fixture(scope="module")
def _chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    names = f"--host-resolver-rules=MAP *.test {HOST}"
    profile = tmp_path_factory.mktemp("profile")
    with browser(profile, names, "--ignore-certificate-errors") as chrome:
        yield chrome


@pytest.fixture
def chrome(_chrome: Chrome) -> Chrome:
    """Return the browser, with one window and without cookies."""
    first, *others = _chrome.window_handles
    for handle in others:
        _chrome.switch_to.window(handle)
        _chrome.close()
    _chrome.switch_to.window(first)
    _chrome.execute_cdp_cmd("Network.clearBrowserCookies", {})
    return _chrome


def js(chrome: Chrome, code: str, *arguments: object) -> Any:
    """Run asynchronous JavaScript in the page and return what it returns."""
    return chrome.execute_script(f"return (async () => {{ {code} }})()", *arguments)


def login(chrome: Chrome, fields: dict[str, str] = ADA) -> Any:
    code = "const r = await client.login(arguments[0]); return [r.status, {}]"
    return js(chrome, code.format("await r.json()"), fields)


def me(chrome: Chrome) -> str:
    """Return who is logged in on the page, or ``401``."""
    code = "const r = await client.api('/users/me/'); return [r.status, await r.json()]"
    status, body = js(chrome, code)
    return str(body["username"] if status == 200 else status)


def cookies(chrome: Chrome, world: World) -> list[dict[str, Any]]:
    """Return the cookies for the API, including those that scripts cannot see."""
    found = chrome.execute_cdp_cmd("Network.getCookies", {"urls": [f"{world.api}/"]})
    return list(found["cookies"])


def at_once(chrome: Chrome, tabs: list[str], code: str) -> list[Any]:
    """Run ``code`` in all tabs at the same moment."""
    then = js(chrome, "return Date.now() + 700")
    for tab in tabs:
        chrome.switch_to.window(tab)
        js(chrome, f"soon(arguments[0], async () => {code})", then)
    results = []
    for tab in tabs:
        chrome.switch_to.window(tab)
        results.append(js(chrome, "return window.done"))
    return results


@pytest.mark.parametrize(
    "world", ["development", pytest.param("tls", marks=pytest.mark.full)], indirect=True
)
def test_a_page_logs_in_reloads_refreshes_calls_and_logs_out(
    stage: Stage, world: World, chrome: Chrome
) -> None:
    chrome.get(world.page)
    assert js(chrome, "return client.refresh()") is False
    assert login(chrome, {**ADA, "password": "wrong"})[0] == 401
    assert cookies(chrome, world) == []
    status, body = login(chrome)
    assert (status, body.keys()) == (200, {"username", "access"})
    [cookie] = cookies(chrome, world)
    assert (cookie["name"], cookie["path"]) == (world.cookie, "/")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert cookie["secure"] == world.cookie.startswith("__Host-")
    assert cookie["domain"] in world.api
    assert abs(cookie["expires"] - time.time() - 24 * 60 * 60) < 60
    assert js(chrome, "return document.cookie") == ""
    assert me(chrome) == "ada"
    chrome.refresh()
    assert me(chrome) == "ada"  # refreshed silently
    assert stage.sessions()[-1][:2] == (1, None)

    tabs = [chrome.current_window_handle]
    chrome.switch_to.new_window("tab")
    chrome.get(world.page)
    tabs.append(chrome.current_window_handle)
    fetch = "fetch('{}/api/token/refresh/', {{method: 'POST', credentials: 'include'}})"
    without_lock = f"(await {fetch.format(world.api)}).status"

    def get_one_successor() -> bool:
        before, *_ = stage.sessions()[-1]
        assert at_once(chrome, tabs, without_lock) == [200, 200]
        return bool(stage.sessions()[-1][:2] == (before + 1, None))

    # Where one tab was faster, the other came with the cookie that it had left.
    assert any(get_one_successor() for _ in range(5))
    before, *_ = stage.sessions()[-1]
    call = "(await client.api('/users/me/')).status"
    for number in range(1, 6):
        js(chrome, "new BroadcastChannel('access').postMessage('expired')")
        assert at_once(chrome, tabs, call) == [200, 200]
        assert stage.sessions()[-1][:2] == (before + number, None)  # one for all
    assert me(chrome) == "ada"

    js(chrome, "await client.logout()")
    assert cookies(chrome, world) == []
    for tab in tabs:
        chrome.switch_to.window(tab)
        assert me(chrome) == "401"
        assert js(chrome, "return client.refresh()") is False
    assert stage.sessions()[-1][1] is not None


@pytest.mark.parametrize(
    "world", ["localhost", pytest.param("tls", marks=pytest.mark.full)], indirect=True
)
def test_hostile_pages_read_nothing_change_nothing_and_log_nobody_in_or_out(
    stage: Stage, world: World, chrome: Chrome
) -> None:
    chrome.set_script_timeout(60)
    chrome.get(world.page)
    login(chrome)
    before = stage.sessions(), cookies(chrome, world)
    assert before[0][-1][:2] == (0, None)
    page = chrome.current_window_handle
    for origin in world.hostile:
        chrome.get(f"{origin}/hostile.html")
        call = "return {}(arguments[0], arguments[1])"
        read = chrome.execute_script(call.format("fetches"), world.api, MALLORY)
        assert {*read} == {"opaque 0 ", "old 0 "}
        assert chrome.execute_script(call.format("forms"), world.api, MALLORY) == 9
        assert (stage.sessions(), cookies(chrome, world)) == before
        tabs = {*chrome.window_handles} - {page}
        assert len(tabs) == 9
        for tab in tabs:
            chrome.switch_to.window(tab)
            assert "not call this API" in chrome.page_source
            chrome.close()
        chrome.switch_to.window(page)
    chrome.get(world.page)
    assert js(chrome, "return client.refresh()")
    assert me(chrome) == "ada"
    assert stage.sessions()[-1][:2] == (1, None)


def test_a_page_of_another_site_is_told_why_it_cannot_log_in(
    stage: Stage, chrome: Chrome
) -> None:
    before = stage.sessions()
    chrome.get(f"{stage.listed[2]}/localhost/")
    status, body = login(chrome)
    assert (status, stage.sessions()) == (403, before)
    assert "another site" in body["detail"]


TOSS = """
for (const cookie of arguments[0])
  for (const path of ["/", "/api/token/refresh/"])
    document.cookie = `${cookie}; Domain=example.test; Path=${path}; Secure`;
"""


@pytest.mark.parametrize("world", ["tls"], indirect=True)
def test_what_a_sibling_host_tosses_does_not_count(
    stage: Stage, server: Server, world: World, chrome: Chrome
) -> None:
    """Otherwise the victim would continue as Mallory.

    Browsers do not recognise the prefix of a name after a Unicode space, which
    Django strips. Granian then passes on no cookies: nobody logs in until it is gone.
    """
    mallory = server.post("/api/token/", **MALLORY).body["refresh"]
    chrome.get(world.page)
    login(chrome)
    before = stage.sessions()
    pair = f"{world.cookie}={mallory}"
    plain = [pair, f"={pair}", pair.lower(), pair.removeprefix("__Host-")]
    for tossed, expected in ((plain, {"ada"}), ([f"\u2000{pair}"], {"ada", "401"})):
        chrome.get(f"{world.hostile[0]}/hostile.html")
        chrome.execute_script(TOSS, tossed)
        found = {cookie["name"]: cookie for cookie in cookies(chrome, world)}
        assert found.pop(world.cookie)["value"] != mallory
        [foreign] = found.values()
        chrome.get(world.page)
        assert me(chrome) in expected
        assert stage.sessions()[-2:-1] == before[-2:-1]  # Mallory's
        foreign = {name: foreign[name] for name in ("name", "domain")}
        chrome.execute_cdp_cmd("Network.deleteCookies", foreign)
        assert me(chrome) == "ada"


@pytest.mark.parametrize(
    "world", ["development", pytest.param("tls", marks=pytest.mark.full)], indirect=True
)
def test_an_allowed_page_cannot_read_the_admin(world: World, chrome: Chrome) -> None:
    """It cannot, although the browser sends the cookie of the admin's session."""
    log_in(chrome, world.api, ADA["username"], PASSWORD)
    chrome.get(world.page)
    fetch = "await fetch(arguments[0], {credentials: 'include'}); return true"
    for path in ("/api/schema/", "/admin/users/user/add/", "/api/docs/?script="):
        reads = js(
            chrome, f"try {{ {fetch} }} catch {{ return false }}", world.api + path
        )
        assert reads is (path == "/api/schema/"), path


@pytest.mark.parametrize("world", ["development"], indirect=True)
def test_the_page_of_the_api_needs_nothing_typed(world: World, chrome: Chrome) -> None:
    chrome.get(f"{world.api}/api/docs/")
    chrome.find_element(By.CSS_SELECTOR, ".btn.authorize").click()
    assert "Nothing to type" in chrome.find_element(By.CLASS_NAME, "modal-ux").text
    chrome.find_element(By.CSS_SELECTOR, ".btn-done").click()
    enter = section(chrome, "token-login")
    text = enter.find_element(By.CSS_SELECTOR, "textarea")
    text.clear()
    text.send_keys(json.dumps(ADA))
    status, body = execute(enter)
    assert (status, {*body}) == ("200", {"username", "access"})
    for operation, keys in (("refresh", ["access"]), ("logout", [])):
        status, body = execute(section(chrome, f"token-{operation}"))
        assert (status, [*body]) == ("200", keys)
    assert world.cookie not in [cookie["name"] for cookie in cookies(chrome, world)]
