"""Open accounts behind a real server, with real mail servers and a real browser."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread

import pytest
from browser import CHROMEDRIVER, browser
from conftest import ROOT, SETTINGS, render
from cookiecutter.main import cookiecutter as generate
from development import Development
from mailserver import mail_server
from selenium.webdriver.common.by import By
from servers import (
    HOST,
    PASSWORD,
    PYTHON,
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
    """Ask for a link, from a client of its own."""
    number = next(clients)
    headers = {
        "Content-Type": "application/json",
        "X-Forwarded-For": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
    }
    return server.send("POST", path, json.dumps({"email": email}).encode(), headers)


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


@pytest.mark.full
def test_whatever_ends_all_sessions_leaves_no_cookie_that_works(tmp_path: Path) -> None:
    answers = {**OPEN, "refresh_token_in": "cookie"}
    login = {"username": "ada", "password": PASSWORD}
    with (
        database_with_user("sqlite", tmp_path, **answers) as url,
        mail_server("smtp", tmp_path) as (mailbox, variables),
    ):
        project = Project(tmp_path / "project", url, **answers)
        with project.serve(VARIABLES | variables) as server:

            def send(path: str, method: str = "POST", **fields: str) -> Answer:
                body = json.dumps(fields).encode()
                return server.send(method, f"/api/{path}", body, headers)

            def reset() -> Answer:
                assert ask(server, "ada@example.com").status == 202
                token = mailbox.last("ada@example.com").token
                login["password"] = NEW_PASSWORD
                return send("users/password/reset/confirm/", token=token, **password())

            def password(name: str = "password") -> dict[str, str]:
                return {name: login["password"]}

            def change() -> Answer:
                path, old = "users/me/password/", password("current_password")
                login["password"] += "!"
                return send(path, **old, **password("new_password"))

            def log_out_everywhere() -> Answer:
                return send("sessions/", "DELETE")

            def delete() -> Answer:
                return send("users/me/", "DELETE", **password("current_password"))

            for end in (log_out_everywhere, reset, change, delete):
                cookies: list[str] = []
                headers = {"Content-Type": "application/json", "Origin": server.url}
                for path, fields in (("token/", login), ("token/refresh/", {})):
                    answer = send(path, **fields)
                    assert answer.status == 200
                    headers["Cookie"] = answer.headers["Set-Cookie"].partition(";")[0]
                    cookies.append(headers["Cookie"])
                headers["Authorization"] = f"Bearer {answer.body['access']}"
                assert end().status == 204
                for headers["Cookie"] in cookies:
                    over = send("token/refresh/")
                    assert (over.status, over.body.keys()) == (401, {"detail", "code"})
                    assert "Max-Age=0" in over.headers["Set-Cookie"]


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
def test_a_known_address_takes_as_long_as_an_unknown_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The medians of a hundred interleaved tries are printed, not asserted."""
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
                    assert answer[:2] == (202, {})
    known, unknown = (taken[5:] for taken in times.values())
    medians = [statistics.median(times) for times in (known, unknown)]
    with capsys.disabled():
        print("\nknown {:.2f} ms, unknown {:.2f} ms,".format(*medians), end=" ")
        print(f"spread {statistics.stdev(known):.2f} ms", end=" ")


@contextmanager
def page(address: str) -> Iterator[str]:
    """Serve a one-page front end for the API at ``address``, and yield its URL."""
    text = (ROOT / "tests" / "accounts.html").read_text("utf-8")
    assert len(text.splitlines()) <= 40

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
    """They use the links in e-mails, forget their password and change their address."""
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


def test_the_readme_signs_somebody_up(tmp_path: Path) -> None:
    project = Development(tmp_path / "project", **OPEN)
    project.manage("migrate", "--verbosity=0")
    commands = re.findall(r"^```sh\n(.*?)^```$", project.read("README.md"), re.M | re.S)
    [flow] = [block for block in commands if "API=" in block]
    asks, confirms = (block for block in commands if "grace" in block)
    log = tmp_path / "log"
    with log.open("w") as output, project.serve(output=output):
        first_line = flow.splitlines()[0]
        asked = project.shell.run(f"{first_line}\n{asks}", project.folder)
        assert asked == "{}\n"
        [token] = re.findall(r"^http.*#token=(\S+)$", log.read_text(), re.M)
        command = f"{first_line}\n{confirms}".replace("paste it here", token)
        made, pair = project.shell.run(command, project.folder).splitlines()
    assert json.loads(made)["email"] == "grace@example.com"
    assert json.loads(pair).keys() >= {"access", "refresh"}


# --- A change of mind, with people in the database


def regenerate(project: Path, **answers: str) -> None:
    """Generate over a project, but keep its migrations."""
    migrations = project / "users" / "migrations"
    kept = {path: path.read_bytes() for path in migrations.glob("*.py")}
    arguments = {"extra_context": answers, "output_dir": str(project.parent)}
    generate(str(ROOT), no_input=True, overwrite_if_exists=True, **arguments)
    for path, content in kept.items():
        path.write_bytes(content)


def manage(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PYTHON, "manage.py", *arguments], cwd=project, capture_output=True, text=True
    )


def shell(project: Path, code: str) -> str:
    done = manage(project, "shell", "-v", "0", "-c", f"{IMPORT}\n{code}")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def python(project: Path, start: str) -> str:
    """Return the Python snippet on the project's page that starts like this."""
    page = (project / "docs" / "changing.md").read_text("utf-8")
    [found] = re.findall(rf"^```python\n({start}.*?)^```$", page, re.M | re.S)
    return str(found)


IMPORT = "from users.models import User"
MAKE = """
for name, email in PEOPLE.items():
    User.objects.create_user(name, email, f"secret of {name}")
User.objects.filter(username="bob").update(email="Bob@Example.com")
User.objects.filter(username="ada").update(email="ADA@example.com")
""".replace("PEOPLE", str({"ada": "", "ada2": "ada@example.com", "bob": "", "cy": ""}))


@pytest.mark.full
def test_accounts_are_opened_later(tmp_path: Path) -> None:
    """Shared addresses can be found beforehand, and the migration names them."""
    project = render(tmp_path)
    assert manage(project, "migrate").returncode == 0
    shell(project, MAKE)
    regenerate(project, **OPEN)
    found = shell(project, python(project, "from django.db.models import Count"))
    assert "'address': 'ada@example.com', 'accounts': 2" in found
    stopped = manage(project, "migrate")
    assert stopped.returncode == 1
    assert "ada@example.com (ada, ada2)" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    shell(project, "User.objects.filter(username='ada2').update(email='')")
    assert manage(project, "migrate").returncode == 0
    found = "print(*User.objects.order_by('pk').values_list('email', flat=True))"
    assert shell(project, found) == "ada@example.com  bob@example.com"
    assert manage(project, "makemigrations", "--check").returncode == 0
    taken = ["--username=x", "--email=Bob@example.com", "--no-input"]
    assert "account with this" in manage(project, "createsuperuser", *taken).stderr


@pytest.mark.full
@pytest.mark.parametrize("accounts", SETTINGS["accounts"])
def test_user_names_become_addresses_and_everybody_still_logs_in(
    tmp_path: Path, accounts: str
) -> None:
    """This follows the project's own page."""
    project = render(tmp_path, accounts="closed")
    assert manage(project, "migrate").returncode == 0
    shell(project, MAKE)
    if accounts == "open":
        shell(project, "User.objects.filter(username='ada2').update(email='')")
        regenerate(project, **OPEN)
        assert manage(project, "migrate").returncode == 0
    function = python(project, "def lower_addresses")
    answers = {"login_field": "email", "extra_claims": "email", "accounts": accounts}
    regenerate(project, **answers)
    made = manage(project, "makemigrations", "users", "--name", "email_login")
    assert made.returncode == 0, made.stderr
    [migration] = project.glob("users/migrations/*_email_login.py")
    text = migration.read_text("utf-8").replace("class M", f"{function}\n\nclass M")
    first = "    operations = [\n        migrations.RunPython(lower_addresses),\n"
    migration.write_text(text.replace("    operations = [\n", first), "utf-8")
    stopped = manage(project, "migrate")
    assert stopped.returncode == 1
    assert "no address (" in stopped.stderr
    assert accounts == "open" or "ada@example.com (ada, ada2)" in stopped.stderr
    with closing(sqlite3.connect(project / ".local" / "db.sqlite3")) as database:
        for name in ("ada2", "cy"):
            change = "UPDATE users_user SET email = ? WHERE username = ?"
            database.execute(change, (f"{name}@Example.com", name))
        database.commit()
    done = manage(project, "migrate")
    assert done.returncode == 0, done.stderr
    assert manage(project, "makemigrations", "--check").returncode == 0
    names = "from django.contrib.auth import authenticate\n"
    for name in ("ada", "ada2", "bob", "cy"):
        login = f"email='{name.title()}@example.com', password='secret of {name}'"
        names += f"print(authenticate({login}))\n"
    expected = [f"{name}@example.com" for name in ("ada", "ada2", "bob", "cy")]
    assert shell(project, names).split() == expected
