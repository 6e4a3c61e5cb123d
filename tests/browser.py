"""A real browser without a window."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

CHROMEDRIVER = shutil.which("chromedriver")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = """
--headless --no-sandbox --disable-gpu --disable-background-networking
--disable-component-update --disable-sync --hide-scrollbars
""".split()


@contextmanager
def browser(profile: Path, *more: str) -> Iterator[Chrome]:
    """Start Chromium with a new profile in that folder, and with ``more`` options."""
    options = ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for option in (*OPTIONS, *more, f"--user-data-dir={profile}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = Chrome(options, ChromeService(CHROMEDRIVER))
    chrome.implicitly_wait(15)
    try:
        yield chrome
    finally:
        chrome.quit()


def show(chrome: Chrome, width: int, height: int = 900, scheme: str = "light") -> None:
    """Make the window that wide (like a phone if it is narrow), light or dark."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    device = {"width": width, "height": height, "deviceScaleFactor": 1}
    command = "Emulation.setDeviceMetricsOverride"
    chrome.execute_cdp_cmd(command, {**device, "mobile": width < 600})


def log_in(chrome: Chrome, url: str, name: str, password: str) -> None:
    """Log in to the admin."""
    chrome.get(f"{url}/admin/login/")
    chrome.find_element(By.NAME, "username").send_keys(name)
    chrome.find_element(By.NAME, "password").send_keys(password)
    chrome.find_element(By.CSS_SELECTOR, "[type=submit]").click()
    chrome.find_element(By.ID, "logout-form")


def section(chrome: Chrome, operation: str) -> WebElement:
    """Open one operation of the API's page, ready to be tried."""
    found = chrome.find_element(By.CSS_SELECTOR, f"[id$='{operation}']")
    found.find_element(By.CLASS_NAME, "opblock-summary-control").click()
    found.find_element(By.CLASS_NAME, "try-out__btn").click()
    return found


def execute(found: WebElement) -> tuple[str, dict[str, str]]:
    """Press *Execute*, and return status and body of the response."""
    click = "for (const e of arguments[0].querySelectorAll(arguments[1])) e.click()"
    found.parent.execute_script(click, found, ".btn-clear")  # an earlier answer
    found.parent.execute_script(click, found, ".execute")
    live = found.find_element(By.CLASS_NAME, "live-responses-table")
    status = live.find_element(By.CSS_SELECTOR, "tbody .response-col_status").text
    body = live.find_element(By.CSS_SELECTOR, ".microlight").text
    return status.split()[0], json.loads(body)
