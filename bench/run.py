"""Measures the template and what it renders, against SimpleJWT as tutorials set it up.

    python bench/run.py                 everything; rewrites docs/benchmarks.md
    python bench/run.py --quick         a first impression; prints, writes nothing
    python bench/run.py requests http   some parts only

Needs the template's development dependencies, and PostgreSQL where it may make and
drop databases. The rendered project's packages are installed by uv into a temporary
folder, unless ``--python`` names an interpreter that has them. Whatever is compared
is measured in turn, in the same run; printed are medians and their ratios.
"""

import argparse
import contextlib
import json
import os
import platform
import secrets
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

import report  # noqa: E402
from levers import CHANGED, LEFT, SQLITE  # noqa: E402
from load import throughput  # noqa: E402

RESULTS = HERE / "results.json"
ALGORITHMS = ["HS256", "RS256", "PS256", "ES256", "EdDSA"]
CONNECTIONS = 32
OPERATIONS = ["open", "get", "verify", "refresh", "logout", "login"]
MAKE_KEY = """
import sys
from cryptography.hazmat.primitives import serialization as s
from config.algorithms import generate_key, is_hmac, read_keys
key = generate_key(sys.argv[1])
public = ""
if not is_hmac(sys.argv[1]):
    half = read_keys(sys.argv[1], key)[0].public_key()
    form = s.PublicFormat.SubjectPublicKeyInfo
    public = half.public_bytes(s.Encoding.PEM, form).decode()
import json; print(json.dumps([key, public]))
"""
ADMIN = """
import psycopg, sys
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    connection.execute(sys.argv[2])
"""


class Driver:
    """A process of ``driver.py``; its methods are called by name."""

    def __init__(self, command, cwd, env, log):
        self.log = log
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with log.open("w") as errors:
            self.process = subprocess.Popen(
                command, cwd=cwd, env=env, stderr=errors, **pipes
            )
        self.receive()

    def send(self, *call):
        self.process.stdin.write(json.dumps(call) + "\n")
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.log}:\n{self.log.read_text()[-2000:]}")
        return json.loads(line)

    def __call__(self, *call):
        self.send(*call)
        return self.receive()

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


class Bench:
    """The rendered project, its stock counterpart, their databases and processes."""

    def __init__(self, arguments, folder):
        self.quick = arguments.quick
        self.folder = folder
        self.database_url = arguments.database_url
        self.projects = {}
        self.project = self.render("HS256")
        self.python = arguments.python or self.install()
        self.databases = {}
        self.keys = {}

    def render(self, algorithm):
        """The folder of the project rendered with that algorithm."""
        if algorithm not in self.projects:
            output = self.folder / algorithm
            output.mkdir()
            command = [*cookiecutter(output), f"algorithm={algorithm}"]
            subprocess.run(command, check=True, capture_output=True)
            self.projects[algorithm] = next(output.iterdir())
        return self.projects[algorithm]

    def install(self):
        command = [sys.executable, "-m", "uv", "sync", "--quiet"]
        subprocess.run(command, cwd=self.project, check=True, env=without_venv())
        return str(self.project / ".venv" / "bin" / "python")

    def rounds(self, full, quick):
        return quick if self.quick else full

    def key(self, algorithm):
        if algorithm not in self.keys:
            command = [self.python, "-c", MAKE_KEY, algorithm]
            made = subprocess.run(
                command, cwd=self.project, check=True, capture_output=True, text=True
            )
            self.keys[algorithm] = json.loads(made.stdout)
        return self.keys[algorithm]

    def database(self, name, vendor):
        """The URL of a database of that name, made and migrated if it is new."""
        if vendor == "SQLite":
            return f"sqlite:///{self.folder / name}.sqlite3"
        base, _, _ = self.database_url.rpartition("/")
        return f"{base}/bench_{name}_{os.getpid()}"

    def admin(self, statement):
        command = [self.python, "-c", ADMIN, self.database_url, statement]
        subprocess.run(command, check=True)

    def create(self, who, name, vendor):
        if (name, vendor) not in self.databases:
            url = self.databases[name, vendor] = self.database(name, vendor)
            if vendor == "PostgreSQL":
                self.admin(f"CREATE DATABASE {url.rpartition('/')[2]}")
            with self.driver(who, name, vendor) as driver:
                driver("migrate")
        return self.databases[name, vendor]

    def drop(self):
        for (_, vendor), url in self.databases.items():
            if vendor == "PostgreSQL":
                name = url.rpartition("/")[2]
                self.admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def environment(self, who, name, vendor, algorithm, levers=""):
        private, public = self.key(algorithm)
        package = "config" if who == "ours" else "stock"
        settings = "config.settings.production" if who == "ours" else "stock.settings"
        return {
            **without_venv(),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DJANGO_SETTINGS_MODULE": settings,
            "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
            "DJANGO_ALLOWED_HOSTS": "localhost",
            "SECURE_SSL_REDIRECT": "false",
            "DATABASE_URL": self.database(name, vendor),
            "JWT_SIGNING_KEY": private,
            "BENCH_VERIFYING_KEY": public,
            "BENCH_ALGORITHM": algorithm,
            "BENCH_POOL": "1" if who == "stock" else "",
            "BENCH_LEVERS": levers,
            "BENCH_PACKAGE": package,
            "WORKERS": "2",
            "THREADS": "4",
        }

    @contextlib.contextmanager
    def driver(self, who, name=None, vendor="PostgreSQL", algorithm="HS256", levers=""):
        name = name or ("ours" if who == "ours" else "stock")
        if (name, vendor) not in self.databases:
            self.create(who, name, vendor)
        environment = self.environment(who, name, vendor, algorithm, levers)
        driver = Driver(
            [self.python, str(HERE / "driver.py"), environment.pop("BENCH_PACKAGE")],
            self.render(algorithm) if who == "ours" else HERE,
            environment,
            self.folder / f"{who}-{secrets.token_hex(4)}.log",
        )
        try:
            yield driver
        finally:
            driver.close()

    @contextlib.contextmanager
    def server(self, who, algorithm):
        """Serves a project with gunicorn; yields the port."""
        name = "ours" if who == "ours" else "stock"
        self.create(who, name, "PostgreSQL")
        port = free_port()
        command = [self.python, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
        if who == "stock":
            command += ["--worker-class", "gthread", "--threads", "4", "--workers", "2"]
            command += ["--preload", "--keep-alive", "75"]
        elif who == "tutorial":
            command += ["--workers", "2"]
        cwd = self.render(algorithm) if who == "ours" else HERE
        environment = self.environment(who, name, "PostgreSQL", algorithm)
        environment["PYTHONPATH"] = os.pathsep.join([str(cwd), str(HERE)])
        log = self.folder / f"server-{who}-{secrets.token_hex(4)}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [*command, "driver:served"],
                cwd=cwd,
                env=environment,
                stdout=output,
                stderr=output,
            )
        try:
            wait_for(f"http://localhost:{port}/open/", process, log)
            yield port
        finally:
            process.terminate()
            process.wait(40)


def cookiecutter(output):
    """The command that renders the template with its defaults into a folder."""
    command = [sys.executable, "-m", "cookiecutter", str(ROOT), "--no-input"]
    return [*command, "--default-config", "--accept-hooks", "yes", "-o", str(output)]


def without_venv():
    ignored = ("VIRTUAL_ENV", "DATABASE_URL", "DJANGO_SETTINGS_MODULE", "PYTHONPATH")
    return {key: value for key, value in os.environ.items() if key not in ignored}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(url, process, log):
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url) as answer:
                answer.read()
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{url} does not answer:\n{log.read_text()[-2000:]}")


def timed(command, **options):
    """Seconds by the clock, and of CPU, that a command takes."""
    before, start = os.times(), time.perf_counter()
    options = {"check": True, "capture_output": True, **options}
    subprocess.run(command, **options)
    seconds, after = time.perf_counter() - start, os.times()
    cpu = after.children_user + after.children_system
    return seconds, cpu - before.children_user - before.children_system


# The parts


def generation(bench):
    """``cookiecutter --version`` and the whole generation, hook included."""
    samples = {"version": [], "generation": []}
    version = [sys.executable, "-m", "cookiecutter", "--version"]
    for number in range(bench.rounds(25, 5) + 1):
        output = bench.folder / f"generation-{number}"
        output.mkdir()
        floor, whole = timed(version), timed(cookiecutter(output))
        if number:  # the first fills caches
            samples["version"].append(floor)
            samples["generation"].append(whole)
    project = next(output.iterdir())
    files = [path for path in project.rglob("*") if path.is_file()]
    return {"samples": samples, "files": len(files)}


def first_token(bench):
    """From nothing to the first token and its first use, package caches warm."""
    runs = []
    for number in range(bench.rounds(3, 1)):
        output = bench.folder / f"token-{number}"
        output.mkdir()
        env = {**without_venv(), "DJANGO_SUPERUSER_PASSWORD": "a Long passphrase, 7"}
        uv = [sys.executable, "-m", "uv", "run", "--quiet", "manage.py"]
        port = free_port()
        who = ["--username", "ada", "--email", "ada@example.com", "--no-input"]
        steps = {"cookiecutter": timed(cookiecutter(output))[0]}
        project = next(output.iterdir())
        commands = {
            "uv run manage.py migrate": [*uv, "migrate"],
            "uv run manage.py createsuperuser": [*uv, "createsuperuser", *who],
        }
        for name, command in commands.items():
            steps[name] = timed(command, cwd=project, env=env)[0]
        start = time.perf_counter()
        log = output / "server.log"
        serve = [*uv, "runserver", "--noreload", str(port)]
        with log.open("w") as text:
            server = subprocess.Popen(
                serve, cwd=project, env=env, stdout=text, stderr=text
            )
        try:
            url = f"http://127.0.0.1:{port}/"
            wait_for(url + "health/live/", server, log)
            steps["uv run manage.py runserver"] = time.perf_counter() - start
            start = time.perf_counter()
            user = {"username": "ada", "password": env["DJANGO_SUPERUSER_PASSWORD"]}
            pair = ask(url + "api/token/", user)
            steps["POST /api/token/"] = time.perf_counter() - start
            ask(url + "api/users/me/", access=pair["access"])
        finally:
            server.terminate()
            server.wait(30)
        runs.append(steps)
    return runs


def ask(url, body=None, access=""):
    headers = {"Content-Type": "application/json"}
    if access:
        headers["Authorization"] = f"Bearer {access}"
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(urllib.request.Request(url, data, headers)) as answer:
        return json.load(answer)


def interleave(drivers, operation, rounds, size):
    """CPU seconds per request of each driver, round by round in turn."""
    for driver in drivers.values():
        driver("warm", operation, 3 if operation == "login" else 20)
    samples = {who: [] for who in drivers}
    for _ in range(rounds):
        for who, driver in drivers.items():
            samples[who].append(driver("measure", operation, size.get(who, 1))[0])
    return samples


def requests(bench):
    """CPU per request in process; statements; the cost of the signature alone."""
    found = {"cpu": {}, "statements": {}, "signature": {}, "hashing": {}}
    every = [*OPERATIONS, "me"]
    for vendor in ("PostgreSQL", "SQLite"):
        names = ["ours", "stock", *(["tutorial"] if vendor == "PostgreSQL" else [])]
        for algorithm in ALGORITHMS[: bench.rounds(None, 1)]:
            cell = found["cpu"].setdefault(vendor, {}).setdefault(algorithm, {})
            with contextlib.ExitStack() as stack:
                drivers = {
                    who: stack.enter_context(
                        bench.driver(who, vendor=vendor, algorithm=algorithm)
                    )
                    for who in names
                }
                for operation in every if algorithm == "HS256" else ["get", "refresh"]:
                    rounds, size = bench.rounds(5, 5), dict.fromkeys(names, 15)
                    if operation == "login":
                        rounds, size = bench.rounds(2, 2), {"ours": 4}
                    cell[operation] = interleave(drivers, operation, rounds, size)
                found["signature"].setdefault(algorithm, []).append(
                    drivers["ours"]("signature", 200)
                )
                if algorithm == "HS256":
                    found["statements"][vendor] = {
                        who: {
                            operation: drivers[who]("statements", operation)
                            for operation in OPERATIONS[1:]
                        }
                        for who in ("ours", "stock")
                    }
                    if not found["hashing"]:
                        found["hashing"] = [
                            drivers["ours"]("hashing", 2)
                            for _ in range(bench.rounds(2, 2))
                        ]
            say(
                vendor,
                algorithm,
                {
                    op: round(median(row["ours"]) / median(row["stock"]), 2)
                    for op, row in cell.items()
                },
            )
    with bench.driver("ours", levers="no_hash") as driver:
        driver("warm", "login", 20)
        found["login_without_hash"] = [
            driver("measure", "login", 30) for _ in range(bench.rounds(11, 5))
        ]
    return found


def http(bench):
    """Requests per second over HTTP, two workers each."""
    found = {}
    for algorithm in ALGORITHMS[: bench.rounds(None, 1)]:
        cell = found[algorithm] = {}
        every = OPERATIONS if algorithm == "HS256" else ["get", "refresh"]
        with contextlib.ExitStack() as stack:
            names = ("ours", "stock", "tutorial")
            ports = {
                who: stack.enter_context(bench.server(who, algorithm)) for who in names
            }
            makers = {
                who: stack.enter_context(bench.driver(who, algorithm=algorithm))
                for who in names
            }
            for operation in every:
                samples = cell[operation] = {who: [] for who in names}
                for _ in range(bench.rounds(3, 2)):
                    for who in names:
                        number = {"login": 0, "logout": 400}.get(operation, CONNECTIONS)
                        pairs = makers[who]("tokens", number)
                        samples[who].append(
                            throughput(ports[who], operation, pairs, 2.0, CONNECTIONS)
                        )
        say(
            "HTTP",
            algorithm,
            {
                op: [round(median(values)) for values in row.values()]
                for op, row in cell.items()
            },
        )
    return found


FILL = """
INSERT INTO tokens_loginsession
    (id, user_id, auth_hash, seq, created, rotated, expires, user_agent, address)
SELECT gen_random_uuid(), 1, repeat('0', 64), n % 100, now(), now(),
    now() + interval '{start}' + n * interval '1 second', 'benchmark', '127.0.0.1'
FROM generate_series(1, {rows}) AS n
"""
SIZE = """
SELECT pg_total_relation_size('{0}'), (SELECT count(*) FROM {0})
"""


def growth(bench):
    """What many refreshes and many sessions do to the database and to a refresh."""
    found = {"after": {}, "latency": {}, "clean": {}}
    small, large = bench.rounds((1_000, 1_000_000), (1_000, 100_000))
    tables = {
        "ours": ["tokens_loginsession"],
        "stock": [
            "token_blacklist_outstandingtoken",
            "token_blacklist_blacklistedtoken",
        ],
    }
    for who, steps in (
        ("ours", [1, 1_000, bench.rounds(100_000, 10_000)]),
        ("stock", [1, bench.rounds(1_000, 300)]),
    ):
        with bench.driver(who, f"growth_{who}") as driver:
            driver("warm", "open")
            done, start = 0, sizes(driver, tables[who])
            for step in steps:
                driver("rotations", step - done)
                done = step
                now = sizes(driver, tables[who])
                latency = [driver("measure", "refresh", 30) for _ in range(5)]
                done += 150
                found["after"].setdefault(who, []).append(
                    [step, now[1] - start[1], now[0] - start[0], latency]
                )
        say("growth", who, [row[:3] for row in found["after"][who]])
    with contextlib.ExitStack() as stack:
        drivers = {}
        for name, rows in (("few", small), ("many", large)):
            driver = stack.enter_context(bench.driver("ours", f"sessions_{name}"))
            driver("sql", FILL.format(rows=rows, start="1 day"))
            driver("sql", "VACUUM ANALYZE tokens_loginsession")
            driver("warm", "refresh")
            drivers[rows] = driver
        for operation in ("refresh", "get"):
            taken = {rows: [] for rows in drivers}
            for driver in drivers.values():
                driver("warm", operation)
            for _ in range(bench.rounds(25, 7)):
                for rows, driver in drivers.items():
                    taken[rows].append(driver("measure", operation, 40))
            found["latency"][operation] = taken
        say(
            "latency",
            {
                op: {
                    rows: round(median(w for _, w in samples) * 1e3, 2)
                    for rows, samples in taken.items()
                }
                for op, taken in found["latency"].items()
            },
        )
        driver = drivers[large]
        driver(
            "sql",
            "UPDATE tokens_loginsession SET expires = expires - interval "
            "'1000 days' WHERE user_agent = 'benchmark' AND auth_hash LIKE '0000%'",
        )
        driver("sql", "VACUUM ANALYZE tokens_loginsession")
        quiet = driver("latencies", "refresh", 8)
        cleaner = stack.enter_context(bench.driver("ours", "sessions_many"))
        watcher = stack.enter_context(bench.driver("ours", "sessions_many"))
        watcher.send("watch")
        cleaner.send("clean", "delete_expired_sessions")
        busy = []
        while not select.select([cleaner.process.stdout], [], [], 0)[0]:
            busy += driver("latencies", "refresh", 1)
        seconds, memory = cleaner.receive()
        left = driver("sql", "SELECT count(*) FROM tokens_loginsession")[0][0]
        found["clean"] = {
            "rows": large,
            "left": left,
            "seconds": seconds,
            "kib": memory,
            "transactions": quantiles(watcher.receive()),
            "quiet": quantiles(quiet),
            "busy": quantiles(busy),
        }
        say("clean", found["clean"])
    return found


def sizes(driver, tables):
    rows = [driver("sql", SIZE.format(table))[0] for table in tables]
    return [sum(column) for column in zip(*rows, strict=True)]


def quantiles(values):
    values = sorted(values)
    at = {
        name: values[int(len(values) * part)]
        for name, part in (("median", 0.5), ("p95", 0.95), ("p99", 0.99))
    }
    return {**at, "max": values[-1], "number": len(values)}


def levers(bench):
    """What was changed for speed and what was not, each against the project as is."""
    found = {}
    for name, (operation, _) in {**CHANGED, **LEFT}.items():
        without_hash = "no_hash" if operation == "login_without_hash" else ""
        pulled = ",".join(filter(None, (without_hash, name)))
        request = "login" if without_hash else operation
        vendor = "SQLite" if name in SQLITE else "PostgreSQL"
        try:
            with (
                bench.driver("ours", vendor=vendor, levers=without_hash) as plain,
                bench.driver("ours", vendor=vendor, levers=pulled) as lever,
            ):
                drivers = {"plain": plain, "lever": lever}
                rounds = bench.rounds(9, 5)
                found[name] = interleave(
                    drivers, request, rounds, dict.fromkeys(drivers, 25)
                )
        except RuntimeError as error:
            say(name, "cannot be measured here:", str(error).strip().splitlines()[-1])
            continue
        say(
            name,
            request,
            round(median(found[name]["lever"]) / median(found[name]["plain"]), 2),
        )
    return found


def tests(bench):
    """How long the rendered suite and the template's fast tier take."""
    suite = [bench.python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    fast = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    found = {}
    for name, command, folder in (
        ("rendered, one process", suite, bench.project),
        ("rendered, `-n 2`", [*suite, "-n", "2"], bench.project),
        ("template's fast tier, `-n 2`", [*fast, "-n", "2"], ROOT),
    ):
        options = {"cwd": folder, "env": without_venv(), "text": True}
        start = time.perf_counter()
        run = subprocess.run(command, capture_output=True, check=False, **options)
        seconds = time.perf_counter() - start
        lines = (run.stdout.strip() or run.stderr.strip() or "nothing").splitlines()
        found[name] = {
            "seconds": seconds,
            "status": run.returncode,
            "says": lines[-1].strip("= "),
        }
        say(name, found[name])
    return found


PARTS = {
    "generation": generation,
    "first_token": first_token,
    "requests": requests,
    "http": http,
    "growth": growth,
    "levers": levers,
    "tests": tests,
}


def say(*words):
    print(*words, flush=True)


def versions(python):
    """What was measured, by name and version."""
    code = """
import importlib.metadata as m, json, platform
names = "django djangorestframework djangorestframework-simplejwt pyjwt cryptography "
names += "psycopg gunicorn"
found = {name: m.version(name) for name in names.split()}
print(json.dumps({"python": platform.python_version(), **found}))
"""
    run = subprocess.run([python, "-c", code], check=True, capture_output=True)
    return json.loads(run.stdout)


def saved():
    """What earlier runs found."""
    return json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="short; writes nothing")
    parser.add_argument("--python", help="has the rendered project's packages")
    parser.add_argument(
        "--database-url",
        default=os.environ.get("DATABASE_URL")
        or "postgresql://postgres@127.0.0.1:5432/postgres",
        help="a PostgreSQL server where databases may be made (default: %(default)s)",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"{', '.join(unknown)}: the parts are {', '.join(PARTS)}")
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    bench = Bench(arguments, folder)
    try:
        for name in arguments.parts or PARTS:
            start, load = time.monotonic(), os.getloadavg()[0]
            found = json.loads(json.dumps(PARTS[name](bench)))
            measured = {
                "found": found,
                "date": datetime.now(UTC).strftime("%Y-%m-%d"),
                "load": round(load, 1),
                "machine": f"{os.cpu_count()} cores, {platform.machine()}",
                "versions": versions(bench.python),
            }
            say(f"\n# {name} ({time.monotonic() - start:.0f} s)\n")
            for text in report.tables({name: measured}).values():
                say(text, "\n")
            if not arguments.quick:
                results = {**saved(), name: measured}
                results = {name: results[name] for name in PARTS if name in results}
                RESULTS.write_text(json.dumps(results) + "\n", "utf-8")
                report.write(results, ROOT / "docs")
    finally:
        bench.drop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
