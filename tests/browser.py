"""A real browser without a window."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By

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
    """Make the window that wide, as on a phone where it is narrow; light or dark."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    device = {"width": width, "height": height, "deviceScaleFactor": 1}
    command = "Emulation.setDeviceMetricsOverride"
    chrome.execute_cdp_cmd(command, {**device, "mobile": width < 600})


def log_in(chrome: Chrome, url: str, name: str, password: str) -> None:
    """Enter the admin."""
    chrome.get(f"{url}/admin/login/")
    chrome.find_element(By.NAME, "username").send_keys(name)
    chrome.find_element(By.NAME, "password").send_keys(password)
    chrome.find_element(By.CSS_SELECTOR, "[type=submit]").click()
    chrome.find_element(By.ID, "logout-form")
