"""One project under measurement: a process that sends requests to itself on demand.

``run.py`` starts one for each thing it compares and asks them in turn, so that all
meet the same noise. A line of JSON comes in on standard input, a method's name and
its arguments; one goes out on what was standard output at the start. Gunicorn serves
``driver:served``, the same application, to measure it over HTTP.
"""

import importlib
import io
import json
import os
import resource
import sys
import time
from pathlib import Path

NAME, PASSWORD = "ada", "a Long enough passphrase, 7"
ADDRESS = {"REMOTE_ADDR": "127.0.0.1", "SERVER_NAME": "localhost", "SERVER_PORT": "80"}

ROTATIONS = """
DO $$ BEGIN FOR n IN 1..{number} LOOP
    UPDATE tokens_loginsession SET seq = seq + 1, rotated = clock_timestamp()
    WHERE id = '{sid}' AND revoked IS NULL AND expires > clock_timestamp();
    COMMIT;
END LOOP; END $$
"""


def application(package):
    """A project's WSGI application, with two views added to its own.

    ``/closed/`` wants a token and says whose it is; ``/open/`` is the same view
    without authentication. Levers that ``BENCH_LEVERS`` names are pulled.
    """
    module = importlib.import_module(f"{package}.wsgi")
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.urls import path

    urls = importlib.import_module(settings.ROOT_URLCONF)
    from rest_framework.response import Response
    from rest_framework.views import APIView

    class Closed(APIView):
        def get(self, request):
            return Response({"id": request.user.pk})

    class Open(Closed):
        authentication_classes = ()
        permission_classes = ()

    urls.urlpatterns[:0] = [
        path("closed/", Closed.as_view()),
        path("open/", Open.as_view()),
    ]
    levers = [name for name in os.environ.get("BENCH_LEVERS", "").split(",") if name]
    for name in levers:
        getattr(importlib.import_module("levers"), name)()
    return get_wsgi_application() if levers else module.application


class Driver:
    """What ``run.py`` can ask for."""

    def __init__(self, package):
        self.application = application(package)
        self.access = self.refresh_token = ""
        self.spare = []

    # One request

    def request(self, method, path, body=None, access=""):
        """Sends a request through the whole application; returns status and body."""
        data = json.dumps(body).encode() if body is not None else b""
        environ = {
            **ADDRESS,
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "SCRIPT_NAME": "",
            "QUERY_STRING": "",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "HTTP_ACCEPT": "application/json",
            "HTTP_USER_AGENT": "benchmark",
            "CONTENT_LENGTH": str(len(data)),
            "CONTENT_TYPE": "application/json",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(data),
            "wsgi.errors": sys.stderr,
        }
        if access:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {access}"
        status = []
        response = self.application(environ, lambda line, _: status.append(line))
        answer = b"".join(response)
        response.close()
        return int(status[0][:3]), answer

    def expect(self, *request):
        status, answer = self.request(*request)
        if status != 200:
            raise RuntimeError(f"{request[:2]}: {status} {answer[:300]!r}")
        return json.loads(answer)

    # The operations: each returns its next request

    def open(self):
        return ("GET", "/open/")

    def get(self):
        return ("GET", "/closed/", None, self.access)

    def me(self):
        return ("GET", "/api/users/me/", None, self.access)

    def verify(self):
        return ("POST", "/api/token/verify/", {"token": self.access})

    def login(self):
        body = {"username": NAME, "password": PASSWORD}
        return ("POST", "/api/token/", body)

    def refresh(self):
        return ("POST", "/api/token/refresh/", {"refresh": self.refresh_token})

    def logout(self):
        return ("POST", "/api/token/blacklist/", {"refresh": self.spare.pop()})

    # Commands

    def migrate(self):
        from django.contrib.auth import get_user_model
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        users = get_user_model().objects
        user = users.create_user(NAME, email=f"{NAME}@example.com", password=PASSWORD)
        for number in range(32):  # one for each connection of load.py
            users.create(username=f"{NAME}{number}", password=user.password)

    def tokens(self, number):
        """That many pairs of tokens, each of a login of its own, without passwords."""
        from django.contrib.auth import get_user_model
        from django.utils.module_loading import import_string
        from rest_framework_simplejwt.settings import api_settings

        token_class = import_string(api_settings.TOKEN_OBTAIN_SERIALIZER).token_class
        user = get_user_model().objects.get(username=NAME)
        pairs = []
        for _ in range(number):
            refresh = token_class.for_user(user)
            pairs.append([str(refresh.access_token), str(refresh)])
        return pairs

    def once(self, operation):
        """One request of that kind, and what follows from its answer."""
        prepared = getattr(self, operation)()
        cpu, clock = time.process_time(), time.perf_counter()
        answer = self.expect(*prepared)
        taken = time.process_time() - cpu, time.perf_counter() - clock
        if operation == "refresh":
            self.refresh_token = answer["refresh"]
        return taken

    def warm(self, operation, requests=20):
        """Gets a new session and lets caches fill."""
        [(self.access, self.refresh_token)] = self.tokens(1)
        self.measure(operation, requests)

    def measure(self, operation, requests):
        """Seconds of CPU and of the clock per request."""
        if operation == "logout":
            self.spare = [refresh for _, refresh in self.tokens(requests)]
        taken = [self.once(operation) for _ in range(requests)]
        return [sum(column) / requests for column in zip(*taken, strict=True)]

    def latencies(self, operation, seconds):
        """What each request takes by the clock, for that long."""
        end = time.perf_counter() + seconds
        taken = []
        while time.perf_counter() < end:
            taken.append(self.once(operation)[1])
        return taken

    def statements(self, operation):
        """The SQL of one request."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        self.warm(operation, 2)
        if operation == "logout":
            self.spare = [self.tokens(1)[0][1]]
        with CaptureQueriesContext(connection) as queries:
            self.once(operation)
        return [query["sql"][:100] for query in queries]

    def profile(self, operation, requests):
        """Where the time goes: cProfile's tables."""
        import cProfile
        import pstats

        self.warm(operation)
        profiler = cProfile.Profile(time.process_time)
        profiler.runcall(self.measure, operation, requests)
        out = io.StringIO()
        stats = pstats.Stats(profiler, stream=out).strip_dirs()
        stats.sort_stats("tottime").print_stats(30)
        stats.sort_stats("cumtime").print_stats(60)
        return out.getvalue()

    def hashing(self, hashes):
        """CPU and clock seconds of one check of a password, for several hashers."""
        from django.contrib.auth import hashers

        def argon2(kib, passes, lanes):
            own = {"memory_cost": kib, "time_cost": passes, "parallelism": lanes}
            return type("Hasher", (hashers.Argon2PasswordHasher,), own)()

        found = {}
        for name, hasher in {
            "this project's": hashers.get_hasher("default"),
            "argon2id, 19 MiB, t=2, p=1": argon2(19 * 1024, 2, 1),
            "argon2id, 46 MiB, t=1, p=1": argon2(46 * 1024, 1, 1),
            "argon2id as Django sets it, 100 MiB, t=2, p=8": argon2(102400, 2, 8),
            "scrypt as Django sets it": hashers.ScryptPasswordHasher(),
            "PBKDF2, Django's default": hashers.PBKDF2PasswordHasher(),
        }.items():
            encoded = hasher.encode(PASSWORD, hasher.salt())
            start, clock = time.process_time(), time.perf_counter()
            for _ in range(hashes):
                hasher.verify(PASSWORD, encoded)
            cpu, wall = time.process_time() - start, time.perf_counter() - clock
            found[name] = [cpu / hashes, wall / hashes]
        return found

    def signature(self, requests):
        """CPU seconds of signing and of verifying, without anything around them."""
        from tokens.keys import key_ring

        ring = key_ring()
        message, key, algorithm = b"x" * 300, ring.signing, ring.implementation
        signed = algorithm.sign(message, key.signing)
        start = time.process_time()
        for _ in range(requests):
            algorithm.sign(message, key.signing)
        middle = time.process_time()
        for _ in range(requests):
            algorithm.verify(message, key.verifying, signed)
        end = time.process_time()
        return [(middle - start) / requests, (end - middle) / requests]

    def sql(self, statement):
        """Runs a statement and returns its rows."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else cursor.rowcount

    def rotations(self, number):
        """Refreshes one session that often, without HTTP around it.

        Ours within the database, by the statement that a refresh runs and a
        transaction for each; stock's by its serializer.
        """
        from django.utils.module_loading import import_string
        from rest_framework_simplejwt.settings import api_settings

        if "tokens" not in sys.modules:
            serializer = import_string(api_settings.TOKEN_REFRESH_SERIALIZER)
            for _ in range(number):
                data = serializer().validate({"refresh": self.refresh_token})
                self.refresh_token = data["refresh"]
            return
        from tokens.models import LoginSession
        from tokens.tokens import RefreshToken

        sid = RefreshToken(self.refresh_token).sid
        self.sql("SET synchronous_commit = off")  # do not wait for the disk
        self.sql(ROTATIONS.format(number=number, sid=sid))
        self.sql("SET synchronous_commit = on")
        session = LoginSession.objects.with_user(sid)
        self.refresh_token = str(RefreshToken.for_session(session, session.seq))

    def clean(self, command):
        """Runs a command; returns seconds, and KiB of memory that it added."""
        from django.core.management import call_command

        self.sql("SET application_name = 'cleaner'")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        call_command(command, stdout=io.StringIO())
        seconds = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.sql("SET application_name = 'done'")
        return [seconds, after - before]

    def watch(self):
        """How long each transaction of ``clean``, in another process, takes."""
        longest, seen = {}, False
        while True:
            rows = self.sql(
                "SELECT xact_start::text, extract(epoch FROM clock_timestamp()"
                " - xact_start)::float FROM pg_stat_activity"
                " WHERE application_name = 'cleaner'"
            )
            if seen and not rows:
                return list(longest.values())
            seen = seen or bool(rows)
            for started, taken in rows:
                longest[started] = taken or 0.0
            time.sleep(0.002)


def main():
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever the project prints is not an answer
    driver = Driver(sys.argv[1])
    print(json.dumps("ready"), file=answers)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(getattr(driver, name)(*arguments)), file=answers)


if __name__ == "__main__":
    sys.path[:0] = [os.getcwd(), str(Path(__file__).parent)]
    main()
elif os.environ.get("BENCH_PACKAGE"):
    served = application(os.environ["BENCH_PACKAGE"])
