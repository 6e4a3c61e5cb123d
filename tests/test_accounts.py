"""Open accounts behind a real server, with real mail servers and a real browser."""

from __future__ import annotations

import json
import socket
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread

import pytest
from browser import CHROMEDRIVER, browser
from conftest import ROOT
from mailserver import mail_server
from selenium.webdriver.common.by import By
from servers import (
    HOST,
    Answer,
    Project,
    Server,
    database_with_user,
    eventually,
    free_port,
)

NEW_PASSWORD = "correct horse battery 8"
OPEN = {"accounts": "open"}
VARIABLES = {"TRUSTED_PROXIES": "1"}  # so that a test can be many clients
clients = count(1)


def ask(server: Server, email: str, path: str = "/api/users/") -> Answer:
    """Ask for a link, as a client of its own."""
    number = next(clients)
    headers = {
        "Content-Type": "application/json",
        "X-Forwarded-For": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
    }
    with closing(HTTPConnection(HOST, server.port, timeout=30)) as connection:
        body = json.dumps({"email": email})
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        return Answer(response.status, json.loads(response.read()))


@pytest.mark.filterwarnings("ignore:Requiring AUTH while")  # STARTTLS, that is
@pytest.mark.parametrize(
    ("scheme", "kind"),
    [
        ("smtp+tls", "sqlite"),
        pytest.param("smtps", "postgresql", marks=pytest.mark.full),
    ],
)
def test_links_arrive_by_a_real_mail_server_and_have_one_effect(
    tmp_path: Path, scheme: str, kind: str
) -> None:
    with (
        database_with_user(kind, tmp_path, **OPEN) as url,
        mail_server(scheme, tmp_path) as (mailbox, variables),
    ):
        project = Project(tmp_path / "project", url, **OPEN)
        with project.serve(VARIABLES | variables) as server:
            assert ask(server, "grace@example.com").status == 202
            mail = mailbox.last("grace@example.com")
            assert mail.text.count("https://app.example.com/sign-up#token=") == 1
            body = {"token": mail.token, "password": NEW_PASSWORD}
            confirm = ("/api/users/confirm/", body)
            made = server.at_once(
                *((confirm[0], body | {"username": f"grace{n}"}) for n in range(6))
            )
            assert sorted(answer.status for answer in made) == [201] + [400] * 5, made
            assert ask(server, "ada@example.com").status == 202
            mail = mailbox.last("ada@example.com")
            assert "ada" in mail.text
            path = "/api/users/password/reset/confirm/"
            resets = [
                (path, {"token": mail.token, "password": f"{NEW_PASSWORD}{n}"})
                for n in range(4)
            ]
            set_ = server.at_once(*resets)
            assert sorted(answer.status for answer in set_) == [204] + [400] * 3
            winner = [answer.status for answer in set_].index(204)
            login = {"username": "ada", "password": resets[winner][1]["password"]}
            assert server.post("/api/token/", **login).status == 200
            assert "changed" in mailbox.last("ada@example.com").subject


def test_a_mail_server_that_says_nothing_holds_nobody_else_up(tmp_path: Path) -> None:
    with (
        database_with_user("sqlite", tmp_path, **OPEN) as url,
        socket.create_server((HOST, 0), backlog=64) as silent,
    ):
        variables = {"EMAIL_URL": f"smtp://{HOST}:{silent.getsockname()[1]}"}
        project = Project(tmp_path / "project", url, **OPEN)
        with project.serve(VARIABLES | variables) as server:
            server.login()  # each worker has to warm up
            with ThreadPoolExecutor(20) as pool:
                asked = [
                    pool.submit(ask, server, f"{n}@example.com") for n in range(20)
                ]
                time.sleep(0.5)
                times = []
                while not all(answer.done() for answer in asked):
                    start = time.monotonic()
                    server.login()
                    times.append(time.monotonic() - start)
            assert {answer.result().status for answer in asked} == {503}
            assert len(times) > 1
            assert max(times) < 1
            print(f"{len(times)} logins, the slowest took {max(times):.3f} s")


@pytest.mark.full
def test_a_known_address_takes_as_long_as_an_unknown_one(tmp_path: Path) -> None:
    """The medians of a hundred interleaved tries are printed, not judged."""
    with (
        database_with_user("sqlite", tmp_path, **OPEN) as url,
        mail_server("smtp", tmp_path) as (_, variables),
    ):
        project = Project(tmp_path / "project", url, **OPEN)
        people = "User.objects.create_user(f'p{n}', f'p{n}@example.com', 'x')"
        code = f"from users.models import User\nfor n in range(100): {people}"
        project.manage("shell", "-v", "0", "-c", code.replace(": ", ":\n  "))
        times: dict[str, list[float]] = {"p": [], "unknown": []}
        with project.serve(VARIABLES | variables, workers=1) as server:
            for n in range(-5, 100):
                for name, taken in times.items():
                    start = time.perf_counter()
                    answer = ask(server, f"{name}{abs(n)}@example.com")
                    taken.append((time.perf_counter() - start) * 1000)
                    assert answer == (202, {})
    known, unknown = (taken[5:] for taken in times.values())
    print(
        f"known {statistics.median(known):.2f} ms, unknown "
        f"{statistics.median(unknown):.2f} ms, spread {statistics.stdev(known):.2f} ms"
    )


@contextmanager
def page(address: str) -> Iterator[str]:
    """Serve a front end of one page for the API at ``address``; yield its own."""
    text = (ROOT / "tests" / "accounts.html").read_text("utf-8")

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.replace("API/", f"{address}/api/").encode())

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((HOST, 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.mark.full
@pytest.mark.skipif(not CHROMEDRIVER, reason="chromedriver is not installed")
def test_a_person_walks_from_sign_up_to_a_page_of_their_own(tmp_path: Path) -> None:
    """By the links of the e-mails, and then forgets the password and moves."""
    port, ada, new = free_port(), "ada.l@example.com", "countess@example.com"
    with (
        database_with_user("sqlite", tmp_path, **OPEN) as url,
        mail_server("smtp", tmp_path) as (mailbox, variables),
        page(f"http://localhost:{port}") as front,
        browser(tmp_path / "profile") as chrome,
    ):
        origins = {"FRONTEND_URL": front, "CORS_ALLOWED_ORIGINS": front}
        hosts = {"DJANGO_ALLOWED_HOSTS": f"localhost,{HOST}"}

        def do(action: str, **fields: str) -> str:
            for name, value in fields.items():
                field = chrome.find_element(By.NAME, name)
                field.clear()
                field.send_keys(value)
            output = chrome.find_element(By.TAG_NAME, "output")
            chrome.execute_script("arguments[0].value = ''", output)
            chrome.find_element(By.CSS_SELECTOR, f"[value={action}]").click()
            eventually(lambda: output.text != "")
            return output.text

        def follow(to: str) -> str:
            mail = mailbox.last(to)
            chrome.get("about:blank")
            chrome.get(f"{front}/{mail.page}#token={mail.token}")
            assert "token" not in chrome.current_url
            return mail.page

        project = Project(tmp_path / "project", url, **OPEN)
        with project.serve(variables | origins | hosts, port=port):
            chrome.get(front)
            assert do("start", email=ada) == "{}"
            login = {"username": "countess", "password": NEW_PASSWORD}
            assert ada in do(follow(ada), **login)
            assert ada in do("log-in", **login)
            chrome.get(front)
            assert do("forgotten", email=ada) == "{}"
            assert do(follow(ada), password=f"{NEW_PASSWORD}!") == "{}"
            login["password"] += "!"
            assert ada in do("log-in", **login)
            assert do("move", email=new) == "{}"
            for to in (ada, new):
                assert do(follow(to)) == "{}"
            assert new in do("log-in", **login)
