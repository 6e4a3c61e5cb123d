"""A project's proxies: its Caddyfile, and nginx as its documentation has it."""

from __future__ import annotations

import json
import re
import resource
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest
from cluster import ROOT_USER, stop
from owners import add_owners_views
from servers import HOST, Project, Server, database_with_user, eventually, free_port
from slow import HALF_BODY, assert_quick, clients

#: Where the clients of these tests come from, unlike the proxies.
ADDRESS = "127.0.1.7"
SERVER_OF_OTHERS = "server 10.0.0.12:8000 max_fails=0;"
LISTEN = (
    "# listen 443 ssl; server_name ...; ssl_certificate ...; ssl_certificate_key ...;"
)

#: Makes the permissions of some forty more models, which an administrator has.
PERMISSIONS = """
from django.contrib.auth.models import Permission
kind = Permission.objects.first().content_type
Permission.objects.bulk_create(
    Permission(codename=f"change_quarterly_report_{number}", content_type=kind)
    for number in range(160)
)
"""


class Proxy(Server):
    """A proxy that speaks TLS at ``port``, by the certificate ``ca``."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, ca: Path) -> None:
        super().__init__(process, port)
        self.ca = ca

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca)

    def connection(self) -> HTTPConnection:
        source = (ADDRESS, 0)
        return HTTPSConnection(
            "localhost", self.port, timeout=30, context=self.tls, source_address=source
        )


@contextmanager
def caddy(
    project: Project, folder: Path, app: int, http: int, https: int
) -> Iterator[Proxy]:
    """Run the project's Caddyfile on other ports, with Caddy's own certificates."""
    said = subprocess.run(["caddy", "version"], check=True, capture_output=True).stdout
    version = [int(number) for number in re.findall(rb"\d+", said)[:3]]
    environment = {
        "PATH": project.environment["PATH"],
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "DOMAIN": "localhost",
    }
    if version < [2, 6, 4]:
        environment["BUFFER"] = "buffer_requests"
    adapted = subprocess.run(
        ["caddy", "adapt", "--config", project.folder / "Caddyfile"],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert '"dial":"app:8000"' in adapted
    config = json.loads(adapted.replace("app:8000", f"{HOST}:{app}"))
    config["admin"] = {"disabled": True}
    config["apps"]["pki"] = {
        "certificate_authorities": {"local": {"install_trust": False}}
    }
    config["apps"]["http"] |= {"http_port": http, "https_port": https}
    [server] = config["apps"]["http"]["servers"].values()
    assert server["listen"] == [":443"]
    server["listen"] = [f"{HOST}:{https}"]
    (folder / "caddy.json").write_text(json.dumps(config))
    command = ["caddy", "run", "--config", str(folder / "caddy.json")]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    with ExitStack() as stack:
        stack.callback(stop, process)
        ca = folder / "caddy/pki/authorities/local/root.crt"
        eventually(ca.is_file)
        yield Proxy(process, https, ca)


@contextmanager
def nginx(
    project: Project, folder: Path, app: int, http: int, https: int
) -> Iterator[Proxy]:
    """Run nginx as on the operations page, with a new certificate."""
    text = (project.folder / "docs" / "operations.md").read_text("utf-8")
    [snippet] = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
    main = re.findall(r"# nginx.conf: (.+)", snippet)[0]
    key, ca = folder / "key.pem", folder / "ca.pem"
    make = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost "
        f"-keyout {key} -out {ca}"
    )
    subprocess.run(make.split(), check=True, capture_output=True)
    for printed, real in {
        "10.0.0.11:8000": f"{HOST}:{app}",
        SERVER_OF_OTHERS: "",
        LISTEN: f"listen {HOST}:{https} ssl; listen {HOST}:{http}; "
        f"ssl_certificate {ca}; ssl_certificate_key {key};",
    }.items():
        assert snippet.count(printed) == 1
        snippet = snippet.replace(printed, real)
    places = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(
        f"{'user root;' if ROOT_USER else ''}\ndaemon off;\npid {folder}/pid;\n"
        f"{main}\nhttp {{\naccess_log off;\n{places}\n{snippet}\n}}\n"
    )
    command = ["nginx", "-c", str(config), "-e", str(folder / "log")]
    process = subprocess.Popen(command)
    with ExitStack() as stack:
        stack.callback(stop, process)
        yield Proxy(process, https, ca)


@pytest.fixture(scope="module", autouse=True)
def _many_connections() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Server]]:
    folder = tmp_path_factory.mktemp("app")
    with database_with_user("sqlite", folder / "database") as url:
        project = Project(folder, url, extra_claims="permissions")
        project.manage("shell", "--command", PERMISSIONS)
        add_owners_views(project)
        del project.environment["SECURE_SSL_REDIRECT"]
        project.environment |= {
            "TRUSTED_PROXIES": "1",
            "DJANGO_ALLOWED_HOSTS": f"localhost,{HOST}",
        }
        with project.serve() as server:
            yield project, server


@pytest.fixture(scope="module")
def http() -> int:
    return free_port()


@pytest.fixture(scope="module", params=[caddy, nginx])
def proxy(
    request: pytest.FixtureRequest,
    app: tuple[Project, Server],
    http: int,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Proxy]:
    name = request.param.__name__
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    project, server = app
    folder = tmp_path_factory.mktemp(name)
    with request.param(project, folder, server.port, http, free_port()) as proxy:
        eventually(lambda: proxy.get("/health/ready/").status == 200)
        yield proxy


def test_people_log_in_over_tls_from_their_own_address(proxy: Proxy) -> None:
    access = proxy.login()["access"]
    forged = {
        "Authorization": f"Bearer {access}",
        "X-Forwarded-For": "192.0.2.1",
        "X-Real-IP": "192.0.2.1",
        "Forwarded": "for=192.0.2.1",
    }
    answer = proxy.send("GET", "/api/sessions/", headers=forged)
    assert answer.status == 200
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    assert answer.body[0]["address"] == ADDRESS
    meta = proxy.send("GET", "/own/meta/", headers=forged).body
    assert meta["HTTP_X_FORWARDED_FOR"].split(", ")[-1] == ADDRESS


def test_what_tells_browsers_from_others_arrives_as_it_was_sent(proxy: Proxy) -> None:
    host = f"localhost:{proxy.port}"
    sent = {"Origin": "https://App.example:8443", "Sec-Fetch-Site": "cross-site"}
    meta = proxy.send("POST", "/own/meta/", b"{}", sent).body
    assert meta["HTTP_ORIGIN"] == sent["Origin"]
    assert meta["HTTP_SEC_FETCH_SITE"] == "cross-site"
    assert meta["HTTP_HOST"] == host
    assert meta["wsgi.url_scheme"] == "http"
    assert meta["HTTP_X_FORWARDED_PROTO"] == "https"


def test_plain_http_is_sent_to_https(proxy: Proxy, http: int) -> None:
    connection = HTTPConnection(HOST, http, timeout=30)
    connection.request("GET", "/api/users/me/?a=b", headers={"Host": "localhost"})
    answer = connection.getresponse()
    connection.close()
    assert answer.status in (301, 308)
    location = answer.headers["Location"]
    assert re.fullmatch(r"https://localhost(:\d+)?/api/users/me/\?a=b", location)


def test_a_token_with_many_claims_fits(proxy: Proxy) -> None:
    access = proxy.login()["access"]
    assert 8_400 < len(access) < 9_000
    assert proxy.opens_to(access)
    assert proxy.accepts(access)


def test_slow_and_silent_clients_hold_nobody_up(proxy: Proxy) -> None:
    with (
        clients(proxy.port, 3000, b""),
        clients(
            proxy.port, 2000, HALF_BODY.replace(b"127.0.0.1", b"localhost"), proxy.tls
        ),
    ):
        assert_quick(proxy)
        assert proxy.login()
