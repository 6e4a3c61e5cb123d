"""What is hardly HTTP, sent to a real server, is refused: in JSON, never with 5xx."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from servers import HOST, Project, Server, database_with_user

PATH = "/api/token/verify/"
START = f"POST {PATH} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
BODY = '{"token": "a"}'
LENGTH = f"Content-Length: {len(BODY)}\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
GET = f"GET /api/users/me/ HTTP/1.1\r\nHost: {HOST}\r\n"

BROKEN = {
    "a length below zero": f"{START}Content-Length: -1\r\n\r\n{BODY}",
    "a length in words": f"{START}Content-Length: ten\r\n\r\n{BODY}",
    "a length with a sign": f"{START}Content-Length: +14\r\n\r\n{BODY}",
    "a length of 30 digits": f"{START}Content-Length: {'9' * 30}\r\n\r\n{BODY}",
    "two lengths": f"{START}{LENGTH}Content-Length: 3\r\n\r\n{BODY}",
    "a length and chunks": f"{START}{LENGTH}{CHUNKED}\r\ne\r\n{BODY}\r\n0\r\n\r\n",
    "a body cut short": f"{START}Content-Length: 99\r\n\r\n{BODY[:8]}",
    "chunks without sizes": f"{START}{CHUNKED}\r\nzz\r\n{BODY}\r\n0\r\n\r\n",
    "a huge chunk": f"{START}{CHUNKED}\r\n{'f' * 30}\r\n{BODY}",
    "chunks within chunks": f"{START}{CHUNKED}{CHUNKED}\r\n0\r\n\r\n",
    "no content type": f"POST {PATH} HTTP/1.1\r\nHost: {HOST}\r\n{LENGTH}\r\n{BODY}",
    "a folded header": f"{GET}X-Folded: a\r\n b\r\n\r\n",
    "bare line feeds": GET.replace("\r\n", "\n") + "\n",
    "a header without a name": f"{GET}: a\r\n\r\n",
    "a blank before the colon": f"{GET}Host : evil.example\r\n\r\n",
    "NUL in a header": f"{GET}Authorization: Bearer a\0b\r\n\r\n",
    "NUL in the path": f"GET /api/\0/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
    "two hosts": f"{GET}Host: evil.example\r\n\r\n",
    "another host": "GET /api/users/me/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "a header of 9 kB": f"{GET}Authorization: Bearer {'a' * 9_000}\r\n\r\n",
    "a thousand headers": GET + "X: a\r\n" * 1000 + "\r\n",
    "a path of 5 kB": f"GET /{'a' * 5_000} HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
    "a method in small letters": GET.replace("GET", "get") + "\r\n",
    "TRACE": GET.replace("GET", "TRACE") + "\r\n",
    "CONNECT": f"CONNECT evil.example:443 HTTP/1.1\r\nHost: {HOST}\r\n\r\n",
    "an odd expectation": f"{START}{LENGTH}Expect: the-best\r\n\r\n{BODY}",
    "TLS": "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n",
    "an odd charset": START.replace("json", "json; charset=rot13").replace(
        "/ H", "/?a=%FF H"
    )
    + f"{LENGTH}\r\n{BODY}",
    "an odd parameter": START.replace("json", "json; a*=bogus''%FF")
    + f"{LENGTH}\r\n{BODY}",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("framing")
    with (
        database_with_user("sqlite", folder / "database") as url,
        Project(folder / "project", url).serve() as server,
    ):
        yield server


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_is_hardly_http_is_refused_in_json(server: Server, text: str) -> None:
    with (
        socket.create_connection((HOST, server.port), timeout=10) as client,
        client.makefile("rb") as answer,
    ):
        client.sendall(text.encode("latin-1"))
        with suppress(OSError):  # the server has hung up already
            client.shutdown(socket.SHUT_WR)
        status = int(answer.readline().split()[1])
        headers = {}
        while line := answer.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = answer.read().decode()
    assert 400 <= status < 500
    assert headers["content-type"] == "application/json"
    assert "server" not in headers
    assert "evil" not in body
    error, _ = json.JSONDecoder().raw_decode(body[body.index("{") :])
    assert isinstance(error, dict)
    assert server.get("/health/live/").status == 200
