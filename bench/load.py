"""A small HTTP client that keeps a few connections busy, each with its own session."""

import json
import selectors
import socket
import time

from driver import PASSWORD

PATHS = {
    "open": ("GET", "/open/"),
    "get": ("GET", "/closed/"),
    "verify": ("POST", "/api/token/verify/"),
    "login": ("POST", "/api/token/"),
    "refresh": ("POST", "/api/token/refresh/"),
    "logout": ("POST", "/api/token/blacklist/"),
}


class Client:
    """One user who sends the next request when the last is answered."""

    def __init__(self, address, operation, number, pairs):
        self.address = address
        self.operation = operation
        self.number = number
        self.pairs = pairs
        self.access, self.refresh = pairs.pop() if pairs else ("", "")
        self.socket = None
        self.answer = self.text = b""

    def body(self):
        match self.operation:
            case "verify":
                return {"token": self.access}
            case "login":
                return {"username": f"ada{self.number}", "password": PASSWORD}
            case "refresh":
                return {"refresh": self.refresh}
            case "logout":
                return {"refresh": self.refresh}

    def request(self):
        method, path = PATHS[self.operation]
        body = self.body()
        data = json.dumps(body).encode() if body else b""
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
        lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
        if self.operation == "get":
            lines.append(f"Authorization: Bearer {self.access}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + data

    def send(self, selector):
        if not self.text or self.operation in ("refresh", "logout"):
            self.text = self.request()
        if self.socket is None:
            self.socket = socket.create_connection(self.address)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(self.socket, selectors.EVENT_READ, self)
        self.answer = b""
        self.socket.sendall(self.text)

    def receive(self, selector):
        """Whether the answer is complete."""
        data = self.socket.recv(65536)
        self.answer += data
        head, end, body = self.answer.partition(b"\r\n\r\n")
        fields = head.lower()
        if not data or not end:
            if not data:
                raise RuntimeError(f"the server hung up: {self.answer[:300]!r}")
            return False
        length = fields.partition(b"content-length:")[2].partition(b"\r\n")[0]
        if len(body) < int(length):
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{self.operation}: {self.answer[:600]!r}")
        if b"\r\nconnection: close" in fields:
            self.close(selector)
        if self.operation == "refresh":
            self.refresh = json.loads(body)["refresh"]
        if self.operation == "logout" and self.pairs:
            self.access, self.refresh = self.pairs.pop()
        return True

    def close(self, selector):
        selector.unregister(self.socket)
        self.socket.close()
        self.socket = None


def throughput(port, operation, pairs, seconds, connections):
    """Requests per second. ``pairs`` are tokens, one for each connection or more."""
    with selectors.DefaultSelector() as selector:
        address = ("127.0.0.1", port)
        clients = [
            Client(address, operation, number, pairs) for number in range(connections)
        ]
        start = time.perf_counter()
        for client in clients:
            client.send(selector)
        done = waiting = 0
        waiting = len(clients)
        while waiting:
            over = time.perf_counter() - start >= seconds
            for event, _ in selector.select(10):
                client = event.data
                if client.receive(selector):
                    done += 1
                    if over or (operation == "logout" and not pairs):
                        waiting -= 1
                        if client.socket:
                            client.close(selector)
                    else:
                        client.send(selector)
        return done / (time.perf_counter() - start)
