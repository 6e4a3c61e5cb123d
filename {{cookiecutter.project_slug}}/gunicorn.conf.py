"""The production server: ``gunicorn`` in this folder reads this file by itself."""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from socket import socket
from typing import Any

from environs import validate
from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.sock import create_sockets
from gunicorn.workers.gthread import ThreadWorker

sys.path.insert(0, str(Path(__file__).parent))
from config.env import Environment

env = Environment()
wsgi_app = "config.wsgi"
bind = env.str("BIND", "127.0.0.1:8000")

# One process per processor and some threads each: a request waits for the database
# about as long as it computes.
workers = env.int("WORKERS", os.cpu_count() or 1, validate=validate.Range(min=1))
threads = env.int("THREADS", 4, validate=validate.Range(min=1))
env.refuse_to_start_if_wrong()

# Loaded once and forked: a wrong setting ends the start with its one line, and the
# keys are parsed before the first request.
preload_app = True

# A TCP socket for each process, unless one is handed over: of a shared one, a single
# process may take every connection.
reuse_port = not bind.startswith(("fd:", "unix:"))

# Longer than a proxy keeps an idle connection (60 seconds in nginx and most others),
# so that none sends a request into a connection that is just being closed.
keepalive = 75
graceful_timeout = 30

# Who the client is and whether it came by TLS is for Django's settings to say.
secure_scheme_headers: dict[str, str] = {}
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Ends the start where the address cannot be had; each process would try for ever."""
    if reuse_port:
        server.cfg.set("reuse_port", False)
        for listener in create_sockets(server.cfg, server.log):
            listener.close()
        server.cfg.set("reuse_port", True)


def post_worker_init(worker: object) -> None:
    """Connects to the database before the first request, if it is there."""
    from django.db import OperationalError, connection

    with suppress(OperationalError):  # requests answer 503 until it is
        connection.ensure_connection()
    connection.close()


class DrainingWorker(ThreadWorker):
    """Stops without losing the clients that wait to be accepted."""

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                served = -1
                while served < self.nr_conns:
                    served = self.nr_conns
                    self.accept(listener)
                listener.close()


class AnonymousResponse(wsgi.Response):
    """Does not say what the server is."""

    def default_headers(self) -> list[str]:
        headers = super().default_headers()
        return [line for line in headers if not line.startswith("Server:")]


def write_error(client: socket, status: int, reason: str, message: str) -> None:
    """Answers what is not HTTP as the API answers errors, repeating nothing of it."""
    body = json.dumps({"detail": f"{reason}."})
    lines = (
        f"HTTP/1.1 {status} {reason}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    util.write_nonblock(client, "\r\n".join((*lines, "", body)).encode())


util.write_error = write_error
wsgi.Response = AnonymousResponse
worker_class = DrainingWorker
