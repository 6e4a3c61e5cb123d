"""Clients that start a request and stop, which other clients must not notice."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from servers import HOST, Server

HALF_HEADER = b"POST /api/token/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-"
HALF_BODY = (
    b"POST /api/token/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b'Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{"user'
)


@contextmanager
def clients(
    port: int, count: int, request: bytes, tls: ssl.SSLContext | None = None
) -> Iterator[None]:
    """Open connections, send something in each, and do no more."""
    with ExitStack() as stack:
        for _ in range(count):
            client = socket.create_connection((HOST, port), timeout=10)
            stack.enter_context(client)
            if tls:
                client = tls.wrap_socket(client, server_hostname="localhost")
                stack.enter_context(client)
            client.sendall(request)
        time.sleep(1)
        yield


def assert_quick(server: Server) -> None:
    """Ask ten times; one slow response is allowed, for a busy machine."""
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        assert server.get("/api/users/me/").status == 401
        seconds.append(time.perf_counter() - start)
    assert sorted(seconds)[-2] < 1, seconds
