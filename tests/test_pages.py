"""The pages of a rendered project work in a real browser, without complaints."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from development import PASSWORD, USER, Development, served

pytest.importorskip("selenium")

from browser import CHROMEDRIVER, CHROMIUM, browser, execute, log_in, section, show
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="chromium or chromedriver is not installed"
)
WIDTHS = pytest.mark.parametrize("width", [1280, 390])
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
NAME = {"project_name": """Robert "Bob" O'Neil's API \\ 내 서비스 🚀"""}
OTHERS = {"login_field": "email", "auth_header_type": "JWT", "algorithm": "ES256"}
ANSWERS = [
    pytest.param(NAME, id="bearer"),
    pytest.param(OTHERS, id="jwt", marks=pytest.mark.full),
]


@pytest.fixture(scope="module", params=ANSWERS)
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Development]:
    with served(tmp_path_factory.mktemp("project"), **request.param) as project:
        yield project


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser(tmp_path_factory.mktemp("profile")) as chrome:
        yield chrome


@pytest.fixture
def name(project: Development) -> str:
    """Return what Ada logs in with."""
    return USER[project.answer("login_field")]


def complaints(chrome: Chrome) -> list[str]:
    """Return the console's messages, except for the icon that the admin lacks."""
    log = chrome.get_log("browser")  # type: ignore[no-untyped-call]
    messages = [str(entry["message"]) for entry in log]
    return [message for message in messages if "/favicon.ico" not in message]


def cut(chrome: Chrome) -> list[str]:
    """Return the texts outside the window that cannot be scrolled into view."""
    return list(
        chrome.execute_script(
            """
            const scrolls = e => e && (/auto|scroll|hidden/.test(
                getComputedStyle(e).overflowX) || scrolls(e.parentElement));
            return [...document.body.querySelectorAll("*")].filter(e => {
                const box = e.getBoundingClientRect();
                return e.childElementCount == 0 && e.textContent.trim() && box.width
                    && (box.right > innerWidth + 1 || box.left < -1) && !scrolls(e);
            }).map(e => e.textContent.trim().slice(0, 60));
            """
        )
    )


def faint(chrome: Chrome) -> list[str]:
    """Return the texts that are hard to see, with a contrast below 1.55 (WCAG 2)."""
    return list(
        chrome.execute_script(
            """
            const read = color => color.match(/[\\d.]+/g).map(Number);
            const light = color => read(color).slice(0, 3).map(v => v / 255)
                .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0.05);
            const behind = e => {
                for (; e; e = e.parentElement) {
                    const color = getComputedStyle(e).backgroundColor;
                    if ((read(color)[3] ?? 1) > 0.5) return light(color);
                }
                return 1.05;
            };
            const text = e => [...e.childNodes].some(
                n => n.nodeType == 3 && n.textContent.trim());
            return [...document.body.querySelectorAll("*")].filter(e => {
                const both = [light(getComputedStyle(e).color), behind(e)];
                return text(e) && e.offsetWidth
                    && Math.max(...both) / Math.min(...both) < 1.55;
            }).map(e => e.textContent.trim().slice(0, 60));
            """
        )
    )


def squeezed(chrome: Chrome) -> list[str]:
    """Return the chosen texts of menus that are too narrow to show them."""
    return list(
        chrome.execute_script(
            """
            return [...document.querySelectorAll("select")].filter(menu => {
                const free = menu.cloneNode(true);
                free.style = "position: absolute; width: max-content;";
                free.style.minWidth = 0;
                free.style.maxWidth = "none";
                menu.parentElement.append(free);
                const needed = free.offsetWidth;
                free.remove();
                return menu.offsetWidth && menu.offsetWidth < needed;
            }).map(menu => menu.selectedOptions[0].text);
            """
        )
    )


def test_a_person_logs_in_authorizes_and_sees_their_name(
    project: Development, chrome: Chrome, name: str
) -> None:
    show(chrome, 1280)
    chrome.get(f"{project.url}/api/docs/")
    login = section(chrome, "-login")
    text = login.find_element(By.CSS_SELECTOR, "textarea")
    assert json.loads(text.get_attribute("value") or "").keys() >= {"password"}
    text.clear()
    field = project.answer("login_field")
    text.send_keys(json.dumps({field: name, "password": PASSWORD}))
    status, pair = execute(login)
    assert status == "200"

    me = section(chrome, "-get_me")
    assert execute(me)[0] == "401"

    chrome.find_element(By.CSS_SELECTOR, ".btn.authorize").click()
    dialog = chrome.find_element(By.CLASS_NAME, "modal-ux")
    header_type = project.answer("auth_header_type")
    token = pair["access"]
    if header_type != "Bearer":
        assert header_type in dialog.text
        token = f"{header_type} {token}"
    dialog.find_element(By.CSS_SELECTOR, "input").send_keys(token)
    dialog.find_element(By.CSS_SELECTOR, ".auth-btn-wrapper .authorize").click()
    dialog.find_element(By.CSS_SELECTOR, ".btn-done").click()
    status, account = execute(me)
    assert status == "200"
    assert account[field] == name
    refused = [line for line in complaints(chrome) if "401" not in line]
    assert refused == []


@WIDTHS
@SCHEMES
def test_the_page_of_the_api_is_whole(
    project: Development, chrome: Chrome, width: int, scheme: str
) -> None:
    show(chrome, width, scheme=scheme)
    chrome.get(project.url)
    assert chrome.current_url == f"{project.url}/api/docs/"
    chrome.find_element(By.CLASS_NAME, "opblock")
    title = chrome.find_element(By.CSS_SELECTOR, "h1.title, h2.title").text
    assert title.startswith(project.answer("project_name"))
    for control in chrome.find_elements(By.CLASS_NAME, "opblock-summary-control"):
        chrome.execute_script("arguments[0].click()", control)
    chrome.find_element(By.CLASS_NAME, "responses-wrapper")
    assert cut(chrome) == []
    assert squeezed(chrome) == []
    assert faint(chrome) == []
    assert complaints(chrome) == []


@WIDTHS
def test_the_admin_shows_the_sessions(
    project: Development, chrome: Chrome, name: str, width: int
) -> None:
    show(chrome, width)
    chrome.delete_all_cookies()
    chrome.get(f"{project.url}/admin/login/")
    assert cut(chrome) == []
    log_in(chrome, project.url, name, PASSWORD)
    for page in ("", "tokens/loginsession/", "users/user/", "users/user/1/change/"):
        chrome.get(f"{project.url}/admin/{page}")
        chrome.find_element(By.ID, "content")
        assert complaints(chrome) == []
