"""An API under a path, behind a proxy that strips the path and one that does not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from browser import CHROMEDRIVER, CHROMIUM, browser, execute, log_in, section, show
from cluster import ROOT_USER, stop
from servers import HOST, PASSWORD, Project, Server, database_with_user, free_port

PREFIX = "/backend"
PATHS = {
    "/api/users/me/": 401,
    "/.well-known/jwks.json": 404,
    "/health/live/": 200,
    "/health/ready/": 200,
}
NGINX = """\
{user}
daemon off;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {servers}
}}
"""


@pytest.fixture(scope="module")
def ports() -> list[int]:
    return [free_port(), free_port()]


@pytest.fixture(scope="module")
def server(
    ports: list[int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("prefix")
    with database_with_user("sqlite", folder / "database") as url:
        project = Project(folder, url)
        project.manage("collectstatic", "--no-input", "--clear", "--verbosity=0")
        environment = {
            "URL_PREFIX": f"{PREFIX}/",
            "DJANGO_ALLOWED_HOSTS": f"localhost,{HOST}",
            # One of the two proxies does not pass on the port.
            "CSRF_TRUSTED_ORIGINS": f"http://localhost:{ports[0]}",
            "TRUSTED_PROXIES": "1",
        }
        with project.serve(environment) as server:
            yield server


def test_both_spellings_of_a_path_lead_to_the_same(server: Server) -> None:
    for path, status in PATHS.items():
        for prefix in ("", PREFIX):
            assert server.get(prefix + path).status == status
    for path in (f"{PREFIX}x/health/live/", f"{PREFIX}{PREFIX}/health/live/"):
        assert server.get(path).status == 404
    docs = server.get(f"{PREFIX}/")
    assert docs.headers["Location"] == f"{PREFIX}/api/docs/"


@pytest.mark.skipif(
    not (CHROMIUM and CHROMEDRIVER), reason="chromium or chromedriver is not installed"
)
@pytest.mark.parametrize(
    ("number", "host", "path"),
    [(0, "$host", "/"), (1, "$http_host", "")],
    ids=["stripping", "plain"],
)
def test_admin_and_docs_work_in_a_browser(
    server: Server, ports: list[int], tmp_path: Path, number: int, host: str, path: str
) -> None:
    listen = f"listen {HOST}:{ports[number]}; proxy_set_header Host {host};"
    location = f"location {PREFIX}/ {{ proxy_pass {server.url}{path}; }}"
    user = "user root;" if ROOT_USER else ""
    servers = f"server {{ {listen} {location} }}"
    config = tmp_path / "nginx.conf"
    config.write_text(NGINX.format(user=user, folder=tmp_path, servers=servers))
    url = f"http://localhost:{ports[number]}{PREFIX}"
    with ExitStack() as stack:
        command = ["nginx", "-c", str(config), "-e", str(tmp_path / "log")]
        stack.callback(stop, subprocess.Popen(command))
        chrome = stack.enter_context(browser(tmp_path / "profile"))
        show(chrome, 1280)
        log_in(chrome, url, "ada", PASSWORD)
        assert chrome.current_url.startswith(f"{url}/admin/")
        chrome.get(f"{url}/api/docs/")
        status, _ = execute(section(chrome, "get_me"))
        assert status == "401"
        failed = [
            entry["message"]
            for entry in chrome.get_log("browser")  # type: ignore[no-untyped-call]
            if "401" not in entry["message"] and "favicon" not in entry["message"]
        ]
        assert failed == []
