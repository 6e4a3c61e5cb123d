"""Measure the template and its projects against SimpleJWT as tutorials set it up.

    python bench/run.py              everything; writes docs/benchmarks.md
    python bench/run.py --quick      a first impression; prints, writes nothing
    python bench/run.py cpu http     some parts only

Needs the development dependencies, wrk, and PostgreSQL where it may make and drop
databases (TEST_POSTGRES_URL). What is compared is measured in turn, five times, in the
same run. The results are medians; ratios also have the lowest and the highest value.
"""

import argparse
import json
import os
import platform
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import psycopg

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PAGE = ROOT / "docs" / "benchmarks.md"
LOCAL = "postgresql://postgres@127.0.0.1:5432/postgres"
SERVER = os.environ.get("TEST_POSTGRES_URL", LOCAL)
CONNECTIONS = 32
NAMES = [f"ada{number}" for number in range(CONNECTIONS + 8)]
PASSWORD = "a Long enough passphrase, 7"
# Each as its own documentation starts it, with two processes.
GRANIAN = "granian --host 127.0.0.1 --port PORT --interface wsgi --workers 2"
GRANIAN += " --blocking-threads 64 config.wsgi:application"
GUNICORN = "gunicorn --bind 127.0.0.1:PORT --workers 2"
GUNICORN += " django.core.wsgi:get_wsgi_application()"
UVICORN = "uvicorn --port PORT --workers 2 --no-access-log yardstick:app"
PATHS = {"get": "/closed/", "refresh": "/api/token/refresh/"}
PATHS |= dict.fromkeys(("login", "guess"), "/api/token/")
# Every answer that makes the project larger.
HEAVIEST = [
    *"login_field=email algorithm=ES256 refresh_token_in=cookie accounts=open".split(),
    "auth_header_type=Bearer, JWT",
    "extra_claims=email, full_name, role:str=member, since:date=2026-01-31, beta:bool",
]
USERS = """
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
import os
users, password = get_user_model(), make_password(os.environ["BENCH_PASSWORD"])
users.objects.bulk_create(
    users(username=name, email=f"{name}@example.com", password=password)
    for name in os.environ["BENCH_USERS"].split(",")
)
"""
PACKAGES = "django djangorestframework djangorestframework-simplejwt pyjwt psycopg"
PACKAGES += " granian gunicorn fastapi uvicorn asyncpg"
# Copies of the one session there is, each a second longer to live than the last.
FILL = """
INSERT INTO tokens_loginsession SELECT (jsonb_populate_record(s, jsonb_build_object(
    'id', gen_random_uuid(), 'expires', s.expires + n * interval '1 second'))).*
FROM tokens_loginsession s, generate_series(1, %s) n
"""
EXPIRE = "UPDATE tokens_loginsession SET expires = expires - interval '10000 days'"
TRANSACTIONS = """
SELECT extract(epoch FROM clock_timestamp() - xact_start)::float
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
AND xact_start IS NOT NULL
"""
FAILURES = """
SELECT count(*), pg_total_relation_size('users_failure') FROM users_failure
"""


class Project:
    """A project with its own database."""

    def __init__(self, python, folder, environment):
        self.python, self.folder, self.environment = python, folder, environment
        url = environment["DATABASE_URL"]
        self.connection = psycopg.connect(url, autocommit=True)

    def run(self, *arguments):
        options = {"cwd": self.folder, "env": self.environment, "check": True}
        return subprocess.run([self.python, *arguments], **options)

    def sql(self, statement, *values):
        return self.connection.execute(statement, values or None)

    @contextmanager
    def start(self, command, **options):
        """Run a command until the block ends."""
        command = [Path(self.python).with_name(command[0]), *command[1:]]
        options |= {"cwd": self.folder, "env": self.environment}
        process = subprocess.Popen(command, **options)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)

    @contextmanager
    def driver(self):
        """Start ``driver.py`` and yield a function that calls its methods by name."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        command = ["python", str(HERE / "driver.py")]
        with self.start(command, **pipes) as process:

            def call(*words):
                process.stdin.write(json.dumps(words) + "\n")
                process.stdin.flush()
                return json.loads(process.stdout.readline())

            json.loads(process.stdout.readline())
            yield call

    @contextmanager
    def serve(self, command):
        """Serve the project and yield the port."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with self.start(command.replace("PORT", str(port)).split()) as process:
            while process.poll() is None:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/closed/")
                except urllib.error.HTTPError:  # it answers
                    yield port
                    return
                except OSError:
                    time.sleep(0.05)
            raise RuntimeError(f"{command} ended")


class Bench:
    """The folder for what is rendered, and the environment that the projects share."""

    def __init__(self, arguments, folder):
        self.quick, self.folder = arguments.quick, folder
        self.rounds, self.seconds = (2, 5) if self.quick else (5, 10)
        self.python = ""

    def render(self, *answers):
        """Render a project, add the view that is measured, and return its folder."""
        output = Path(tempfile.mkdtemp(dir=self.folder))
        command = cookiecutter(output, *answers)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        project = next(output.iterdir())
        with (project / "config" / "urls.py").open("a") as urls:
            urls.write("\nfrom view import Closed\n\n")
            urls.write('urlpatterns += [path("closed/", Closed.as_view())]\n')
        return project

    def install(self):
        """Install the packages and return the interpreter that all projects use."""
        if not self.python:
            project = self.render()
            self.python = str(project / ".venv" / "bin" / "python")
            uv("sync", "--quiet", "--no-dev", cwd=project)
            uv("pip", "install", "-qp", self.python, "-r", HERE / "requirements.txt")
        return self.python

    @contextmanager
    def project(self, folder, settings, **environment):
        """Return a project with tables and users in a new database."""
        name = f"bench_{secrets.token_hex(6)}"
        environment |= {
            **outside(),
            "PYTHONPATH": f"{folder}{os.pathsep}{HERE}",
            "DJANGO_SETTINGS_MODULE": settings,
            "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
            "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": urlsplit(SERVER)._replace(path=f"/{name}").geturl(),
            "JWT_SIGNING_KEY": secrets.token_urlsafe(64),
            "SECURE_SSL_REDIRECT": "false",
            "LOG_LEVEL": "CRITICAL",
            "BENCH_USERS": ",".join(NAMES),
            "BENCH_PASSWORD": PASSWORD,
        }
        with psycopg.connect(SERVER, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name}")
            try:
                project = Project(self.install(), folder, environment)
                if settings:
                    project.run("-m", "django", "migrate", "-v0", "--skip-checks")
                    project.run("-m", "django", "shell", "-v0", "-c", USERS)
                    if folder != HERE:
                        project.run("manage.py", "collectstatic", "--no-input", "-v0")
                else:
                    project.run("yardstick.py")
                yield project
                project.connection.close()
            finally:
                server.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def ours(self, *answers, **environment):
        settings = "config.settings.production"
        return self.project(self.render(*answers), settings, **environment)

    def stock(self, **environment):
        return self.project(HERE, "stock.settings", **environment)


def uv(*words, **options):
    """Run uv and return its output."""
    options |= {"env": outside(), "check": True, "stdout": subprocess.PIPE}
    command = [sys.executable, "-m", "uv", *words]
    return subprocess.run(command, text=True, **options).stdout


def cookiecutter(output, *answers):
    """Return the command that renders the template into a folder."""
    command = [sys.executable, "-m", "cookiecutter", str(ROOT), "--no-input"]
    return [*command, "--default-config", "-o", str(output), *answers]


def outside():
    """Return the environment, without variables that would affect projects."""
    others = re.compile("VIRTUAL_ENV|PYTHON.*|DATABASE_URL|(DJANGO|JWT|GRANIAN)_.*")
    return {name: v for name, v in os.environ.items() if not others.fullmatch(name)}


def interleave(rounds, *measures):
    """Return the results of ``measures``, called in turn, round by round."""
    found = [[measure() for measure in measures] for _ in range(rounds)]
    return list(zip(*found, strict=True))


def ratio(mine, others):
    """Format the median of the rounds' ratios, with the lowest and the highest."""
    ratios = sorted(a / b for a, b in zip(mine, others, strict=True))
    return f"**{median(ratios):.2f}** ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def table(head, *rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def figure(values, factor=1):
    value = median(values) * factor
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ms(seconds):
    return f"{figure(seconds, 1e3)} ms"


# The parts


def generation(bench):
    """Measure the time of a generation, and of cookiecutter's start alone."""

    def timed(*answers):
        output = tempfile.mkdtemp(dir=bench.folder)
        command = cookiecutter(output, *answers) if answers else version
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    version = [sys.executable, "-m", "cookiecutter", "--version"]
    default, heavy = partial(timed, "project_name=My API"), partial(timed, *HEAVIEST)
    interleave(1, timed, default, heavy)  # fills caches
    floor, *found = interleave(3 * bench.rounds, timed, default, heavy)
    head = ["", "`cookiecutter --version`", "generation", "ratio", "at most"]
    rows = zip(("default answers", "the heaviest"), found, (2.0, 2.2), strict=True)
    return table(
        head,
        *(
            [what, ms(floor), ms(times), ratio(times, floor), most]
            for what, times, most in rows
        ),
    )


def measures(bench, drivers, operation, number, column=0):
    """Return CPU seconds (or elapsed: column 1) of a request, for each driver.

    In each round the drivers take ten short turns, so that all meet the same noise.
    """
    calls = [partial(driver, "measure", operation, number // 10) for driver in drivers]
    interleave(1, *calls)  # fills caches
    rounds = [interleave(10, *calls) for _ in range(bench.rounds)]
    theirs = zip(*rounds, strict=True)
    return [[median(t[column] for t in turns) for turns in its] for its in theirs]


def cpu(bench):
    """Measure CPU per request in process, with equal connections to PostgreSQL."""
    rows = []
    with ExitStack() as stack:
        browser = bench.ours("refresh_token_in=cookie", BENCH_BROWSER="1")
        ours, cookie, stock = (
            stack.enter_context(stack.enter_context(project).driver())
            for project in (bench.ours(), browser, bench.stock(BENCH_POOL="1"))
        )
        for what, operation, number, drivers, most in (
            ("authenticated GET", "get", 1500, (ours, stock), "0.70"),
            ("refresh", "refresh", 500, (ours, stock), "0.30"),
            ("refresh by cookie; by body", "refresh", 500, (cookie, ours), "1.05"),
            ("login without its hash", "login", 200, (ours, stock), "3 ms"),
        ):
            if operation == "login":
                for driver in drivers:
                    driver("without_hash")
            mine, others = measures(bench, drivers, operation, number)
            counts = (driver("statements", operation) for driver in drivers)
            rows.append([what, ms(mine), ms(others), ratio(mine, others), most])
            rows[-1] += [f"{statements}, {trips}" for statements, trips in counts]
    head = ["CPU per request", "this template", "stock", "ratio", "at most"]
    return table([*head, "statements, round trips", "stock's"], *rows)


def wrk(port, operation, lines, seconds, connections=CONNECTIONS):
    """Return wrk's results of some seconds of load; load.lua reads ``lines``."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.flush()
        url = f"http://127.0.0.1:{port}{PATHS[operation]}"
        options = [
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--timeout=30s",
            "--latency",
        ]
        script = ["-s", str(HERE / "load.lua"), url, "--", operation, file.name]
        command = ["wrk", *options, *script]
        return subprocess.run(
            command, check=True, capture_output=True, text=True
        ).stdout


def throughput(*load):
    """Return the requests per second, all of which must succeed."""
    said = wrk(*load)
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    ask(load[0], NAMES[-1])  # what still waits there is not to slow the next one down
    return rate(said)


def rate(said):
    return float(re.search(r"Requests/sec: +([\d.]+)", said)[1])


def line(operation, name, pair=None):
    """Return what load.lua needs for a request of that user."""
    if operation == "get":
        return pair["access"]
    if operation == "refresh":
        return json.dumps({"refresh": pair["refresh"]})
    password = PASSWORD if operation == "login" else "wrong"
    return json.dumps({"username": name, "password": password})


def ask(port, name):
    """Log in over HTTP and return the response."""
    body = line("login", name).encode()
    headers = {"Content-Type": "application/json"}
    url = f"http://127.0.0.1:{port}/api/token/"
    request = urllib.request.Request(url, body, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def http(bench):
    """Measure requests per second, with servers started as documented."""
    found = {operation: [] for operation in ("get", "refresh", "login")}
    with ExitStack() as stack:
        projects = [(bench.ours(), GRANIAN), (bench.stock(), GUNICORN)]
        projects += [(bench.project(HERE, ""), UVICORN)]
        ports = [
            stack.enter_context(stack.enter_context(project).serve(command))
            for project, command in projects
        ]
        for _ in range(bench.rounds):
            with ThreadPoolExecutor(8) as pool:
                pairs = [list(pool.map(partial(ask, port), NAMES)) for port in ports]
            for operation, rounds in found.items():
                loads = [
                    (port, operation, map(partial(line, operation), NAMES, its))
                    for port, its in zip(ports, pairs, strict=True)
                ]
                rounds.append([throughput(*load, bench.seconds) for load in loads])
    rows = []
    for operation, least in ("get", 10), ("refresh", 9), ("login", 10):
        mine, tutorial, fastapi = zip(*found[operation], strict=True)
        numbers = map(figure, (mine, tutorial, fastapi))
        what = "authenticated GET" if operation == "get" else operation
        rows.append(
            [what, *numbers, ratio(mine, tutorial), least, ratio(mine, fastapi)]
        )
    head = ["requests per second", "this template", "tutorials", "FastAPI"]
    return table([*head, "× tutorials", "at least", "× FastAPI"], *rows)


def sessions(bench):
    """Measure requests with a small and a large table, and the large one's cleanup."""
    rows, sizes = [], (1_000, 100_000 if bench.quick else 1_000_000)
    with ExitStack() as stack:
        drivers, folder = [], bench.render()
        for size in sizes:
            project = bench.project(folder, "config.settings.production")
            project = stack.enter_context(project)
            drivers.append(stack.enter_context(project.driver()))
            project.sql(FILL, size)
            project.sql("VACUUM ANALYZE tokens_loginsession")
        for what, operation in ("authenticated GET", "get"), ("refresh", "refresh"):
            few, many = measures(bench, drivers, operation, 150, 1)
            rows.append([what, ms(few), ms(many), ratio(many, few), 1.1])
        project.sql(EXPIRE)
        project.sql("VACUUM ANALYZE tokens_loginsession")
        longest, memory = clear(project)
        _, idle = clear(project)
    head = ["by the clock", *(f"{size:,} sessions" for size in sizes)]
    cleared = f"""
`delete_expired_sessions`, which deletes the {sizes[1]:,} sessions, needs
{(memory - idle) / 1024:.1f} MiB more than when there is nothing to do (20 at most), and
its longest transaction takes {longest * 1e3:.0f} ms (200 at most)."""
    return table([*head, "ratio", "at most"], *rows) + "\n" + cleared


def clear(project):
    """Return the cleanup's longest transaction in seconds, and its memory in KiB."""
    longest, ended = 0.0, 0
    command = ["python", "manage.py", "delete_expired_sessions"]
    with project.start(command) as process:
        while not ended:
            for [seconds] in project.sql(TRANSACTIONS):
                longest = max(longest, seconds)
            time.sleep(0.002)
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
    return longest, usage.ru_maxrss


def failures(bench):
    """Measure the table of failed logins while four addresses guess passwords."""
    rows, lines = [], [line("guess", name) for name in NAMES]
    with ExitStack() as stack:
        project = stack.enter_context(bench.ours(TRUSTED_PROXIES="1"))
        port = stack.enter_context(project.serve(GRANIAN))
        for number in range(6):
            said = wrk(port, "guess", lines, bench.seconds, 24)
            start = time.perf_counter()
            ask(port, NAMES[0])
            login = time.perf_counter() - start
            statuses = dict(re.findall(r"Status (\d+): (\d+)", said))
            if not statuses.keys() <= {"401", "429"}:
                raise RuntimeError(said)
            failed, size = project.sql(FAILURES).fetchone()
            late = re.search(r"99% +(\S+)", said)[1]
            judged, refused = (statuses.get(status, 0) for status in ("401", "429"))
            rows.append(
                [f"to {(number + 1) * bench.seconds} s", f"{rate(said):.0f}", judged]
            )
            rows[-1] += [refused, late, ms([login]), failed, f"{size // 1024:,} KiB"]
    head = ["", "wrong logins per second", "401", "429", "99 % within"]
    return table([*head, "an honest login", "rows", "table and indexes"], *rows)


PARTS = {part.__name__: part for part in (generation, cpu, http, sessions, failures)}


def conditions(bench, load):
    """Describe when and with what a part was measured."""
    lines = uv("pip", "list", "-p", bench.install()).splitlines()[2:]
    versions = [line for line in lines if line.split()[0] in PACKAGES.split()]
    date, machine = datetime.now(UTC).date(), platform.machine()
    python = Path(bench.python).resolve().name
    words = f"{date}, {os.cpu_count()} cores ({machine}), load {load:.1f} at the start"
    return "; ".join([words, python, *(" ".join(line.split()) for line in versions)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="short; writes nothing")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"{', '.join(unknown)}: the parts are {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(arguments, Path(folder))
        for name in arguments.parts or PARTS:
            load = os.getloadavg()[0]
            found = f"{PARTS[name](bench)}\n\n{conditions(bench, load)}"
            print(f"\n## {name}\n\n{found}", flush=True)
            if not arguments.quick:
                text = PAGE.read_text("utf-8")
                head, mark, rest = text.partition(f"<!-- {name} -->\n")
                rest = rest[rest.index("<!-- end -->") :]
                PAGE.write_text(f"{head}{mark}{found}\n{rest}", "utf-8")


if __name__ == "__main__":
    main()
