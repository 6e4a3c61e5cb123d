"""One project under measurement: a process that sends requests to itself on demand.

``run.py`` starts one for each project that it compares and asks them in turn, so that
all meet the same noise. It reads lines of JSON from standard input, each with the name
of a method and its arguments, and writes a line for each. Requests go through the whole
WSGI application, without a network.
"""

import io
import json
import os
import sys
import tempfile
import time
from wsgiref.util import setup_testing_defaults

from django.contrib.auth import get_user_model
from django.core.servers.basehttp import get_internal_wsgi_application
from django.db import connection
from django.db.backends.signals import connection_created
from django.test.utils import CaptureQueriesContext, override_settings

NAME = os.environ["BENCH_USERS"].partition(",")[0]
PASSWORD = os.environ["BENCH_PASSWORD"]
ENVIRON = {"REMOTE_ADDR": "127.0.0.1", "CONTENT_TYPE": "application/json"}
setup_testing_defaults(ENVIRON)


class Driver:
    """What ``run.py`` can ask for. Each operation sends one request."""

    def __init__(self):
        """Log in, like a page in a browser if BENCH_BROWSER is set."""
        self.application = get_internal_wsgi_application()
        browser = {"HTTP_SEC_FETCH_SITE": "same-origin"}
        self.headers = browser if "BENCH_BROWSER" in os.environ else {}
        self.login()

    def send(self, method, path, body=None, **headers):
        """Send a request, keep its cookies, and return the response."""
        data = json.dumps(body).encode() if body else b""
        environ = {**ENVIRON, **self.headers, **headers}
        environ |= {"REQUEST_METHOD": method, "PATH_INFO": path}
        environ |= {"CONTENT_LENGTH": str(len(data)), "wsgi.input": io.BytesIO(data)}
        started = []
        response = self.application(environ, lambda *values: started.extend(values))
        answer = b"".join(response)
        getattr(response, "close", lambda: None)()
        if not started[0].startswith("200"):
            raise RuntimeError(f"{method} {path}: {started[0]} {answer[:300]!r}")
        for name, value in started[1]:
            if name == "Set-Cookie":
                self.headers["HTTP_COOKIE"] = value.partition(";")[0]
        return json.loads(answer)

    def login(self):
        body = {"username": NAME, "password": PASSWORD}
        self.tokens = self.send("POST", "/api/token/", body)

    def refresh(self):
        token = self.tokens.get("refresh")  # none if it is in a cookie
        body = {"refresh": token} if token else None
        self.tokens = self.send("POST", "/api/token/refresh/", body)

    def get(self):
        header = f"Bearer {self.tokens['access']}"
        self.send("GET", "/closed/", HTTP_AUTHORIZATION=header)

    def measure(self, operation, number):
        """Return CPU seconds and elapsed seconds for each of ``number`` requests."""
        send = getattr(self, operation)
        cpu, clock = time.process_time(), time.perf_counter()
        for _ in range(number):
            send()
        cpu, clock = time.process_time() - cpu, time.perf_counter() - clock
        return cpu / number, clock / number

    def without_hash(self):
        """Make checking a password cost nothing from now on."""
        hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        override_settings(PASSWORD_HASHERS=hashers).enable()
        user = get_user_model().objects.get(username=NAME)
        user.set_password(PASSWORD)
        user.save()

    def statements(self, operation):
        """Return how many SQL statements a request takes, and how many round trips.

        A round trip ends with PostgreSQL's ReadyForQuery, so BEGIN, COMMIT and the
        pool's queries count as well.
        """
        send = getattr(self, operation)
        with CaptureQueriesContext(connection) as queries:
            send()
        control = ("BEGIN", "COMMIT")
        statements = [q for q in queries if not q["sql"].startswith(control)]
        with tempfile.TemporaryFile() as trace:
            starts = []

            def start(connection, **_):  # which flushes what the last one left
                self.traced = connection.connection.pgconn
                self.traced.trace(trace.fileno())
                starts.append(trace.seek(0, os.SEEK_END))

            connection_created.connect(start)
            for _ in range(3):
                send()
            connection_created.disconnect(start)
            self.traced.untrace()
            trace.seek(0)
            one = trace.read()[starts[-2] : starts[-1]]
        return len(statements), one.count(b"\tReadyForQuery")


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the project prints is no answer
    driver = Driver()
    print(json.dumps("ready"), file=answers)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(getattr(driver, name)(*arguments)), file=answers)
