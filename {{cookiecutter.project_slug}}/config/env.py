"""Reading settings from the environment, with every mistake reported at once.

A reader makes a setting of a variable's text. It raises ``ValueError`` with what it takes.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dj_database_url

from config.settings.base import TURNS

#: What earlier versions read, and what to do instead.
REPLACED = {
    "REDIS_URL": "The database counts failed logins: remove it.",
    "BIND": "Set GRANIAN_HOST and GRANIAN_PORT.",
    "WORKERS": "Set GRANIAN_WORKERS.",
    "THREADS": "Set GRANIAN_BLOCKING_THREADS, or TURNS in config/settings/base.py.",
}


class Environment:
    """The variables of this process, and ``problems`` with those that were read.

    An empty variable counts as unset, since compose files pass empty ones. What is
    ``replaced`` must not be set; it goes with what to do instead.
    """

    def __init__(self, replaced: dict[str, str]) -> None:
        found = [name for name in replaced if os.environ.get(name)]
        self.problems = [f"{name}: it is not read any more. {replaced[name]}" for name in found]

    def read(self, name: str, reader: Callable[[str], Any], default: Any = None) -> Any:
        """What ``reader`` makes of the variable. It is required where ``default`` is None."""
        text = os.environ.get(name, "").strip()
        if not text and default is not None:
            return default
        try:
            return reader(text)
        except ValueError as error:
            self.problems.append(f"{name}: {'unusable' if text else 'missing'}. It takes {error}.")
            return default

    def secret(self, name: str, default: str | None = None) -> str:
        """The key in the variable, or in the file that ``name_FILE`` names."""
        file = f"{name}_FILE"
        if os.environ.get(name) and os.environ.get(file):
            self.problems.append(f"{name} and {file} are both set: keep one.")
            return ""
        in_file = os.environ.get(file)
        return str(self.read(file, contents) if in_file else self.read(name, key, default))

    def refuse_to_start_if_wrong(self) -> None:
        """End the process with one line for each missing or unusable variable."""
        if self.problems:
            raise SystemExit("\n".join(self.problems))


def matching(pattern: str, takes: str = "") -> Callable[[str], str]:
    """A reader of texts of which all matches ``pattern``."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(takes or pattern)
        return text

    return read


def several(reader: Callable[[str], str]) -> Callable[[str], list[str]]:
    """A reader of comma-separated lists of what ``reader`` reads."""
    return lambda text: [reader(item.strip()) for item in text.split(",")]


DATABASE = "a PostgreSQL or SQLite URL, without connection settings such as conn_max_age"
HOST = r"\.?[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]"
ORIGIN = r"[a-z][a-z0-9+.-]*://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]+)?"
PREFIX = r"(?!/(api|admin|health|static|\.well-known)(/|\Z))(/[\w.~-]+)+/?"
# jinja: if cookiecutter.accounts == "open"
sender = matching(r"[^@,]+@[^\s@,]+", "an address, for example My API <noreply@example.com>")
pages = matching(r"https?://[^\s/#][^\s#]*", "an address, for example https://app.example.com")
# jinja: endif
key = matching("(?s).+", "what `manage.py generate_signing_key` prints")
hosts = several(matching(HOST, "host names, for example api.example.com,10.0.0.7"))
origin = matching(ORIGIN, "origins, for example https://app.example.com")
url_prefix = matching(PREFIX, "a path such as /backend, and none of this project's own")


def origins(text: str) -> list[str]:
    """A reader of origins as people write them, which makes of them what browsers send."""
    found = [item.strip().rstrip("/").lower() for item in text.split(",")]
    default_port = r"\A(http:.*):80\Z|\A(https:.*):443\Z"
    return [origin(re.sub(default_port, r"\1\2", item)) for item in found]


def natural(text: str) -> int:
    """A reader of numbers from 0 on."""
    return int(matching("[0-9]{1,9}", "a number, for example 1")(text))


def boolean(text: str) -> bool:
    """A reader of ``true`` and ``false``."""
    return matching("true|false")(text.lower()) == "true"


def contents(path: str) -> str:
    """A reader of files' names, which returns what is in the file."""
    try:
        return Path(path).read_text(encoding="utf-8-sig").strip()
    except (OSError, ValueError):
        raise ValueError(f"the name of a file, and {path} cannot be read") from None


def secret_key(text: str) -> str:
    """A reader of Django's secret key: asks what its deployment check asks for."""
    if len(text) < 50 or len(set(text)) < 5 or text.startswith("django-insecure-"):
        raise ValueError("at least 50 random characters")
    return text


secret_keys = several(secret_key)


def database(url: str) -> dict[str, Any]:
    """A reader of database URLs: Django's ``DATABASES`` entry, for concurrent requests.

    SQLite writes ahead and takes the write lock at once, so that writers wait for each
    other and never fail half way. PostgreSQL keeps a pool, with four connections more than
    there are turns, for streams; while it is away a request waits two seconds for one.
    What a connection has run five times it prepares, so that PostgreSQL plans it no more;
    a pgbouncer between them must be 1.21 or newer. Options in the URL, such as
    ``sslmode``, come on top, but for those that contradict the pool.
    """
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(url))
    except ValueError:
        raise ValueError(DATABASE) from None
    engine, wanted = config["ENGINE"].rpartition(".")[2], config.get("OPTIONS", {})
    if not config["NAME"] or wanted.keys() & {"conn_max_age", "conn_health_checks", "pool"}:
        raise ValueError(DATABASE)
    if engine == "sqlite3":
        options: dict[str, Any] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    elif engine == "postgresql":
        options = {
            "pool": {"min_size": 1, "max_size": TURNS + 4, "timeout": 2, "reconnect_timeout": 0},
            "connect_timeout": 2,  # seconds
            "tcp_user_timeout": 10_000,  # milliseconds: a host that says nothing is away
            "server_side_binding": True,
            "prepare_threshold": 5,
        }
    else:
        raise ValueError(DATABASE)
    config["OPTIONS"] = options | wanted
    return config
