"""Settings from the environment, with all mistakes reported at once.

A reader turns the text of a variable into a setting, or raises ``ValueError`` with what
it accepts.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dj_database_url

from config.settings.base import TURNS

#: Variables of earlier versions, and what to do instead.
REPLACED = {
    "REDIS_URL": "Remove it: the database counts failed logins now.",
    "BIND": "Set GRANIAN_HOST and GRANIAN_PORT.",
    "WORKERS": "Set GRANIAN_WORKERS.",
    "THREADS": "Set GRANIAN_BLOCKING_THREADS, or TURNS in config/settings/base.py.",
}


class Environment:
    """The variables of this process, and the ``problems`` found while reading them.

    An empty variable counts as unset, since compose files pass empty ones. ``replaced``
    maps the variables that must not be set any more to what to do instead.
    """

    def __init__(self, replaced: dict[str, str]) -> None:
        found = [name for name in replaced if os.environ.get(name)]
        self.problems = [f"{name}: no longer supported. {replaced[name]}" for name in found]

    def read(self, name: str, reader: Callable[[str], Any], default: Any = None) -> Any:
        """Return what ``reader`` returns for the variable. Without a default it is required."""
        text = os.environ.get(name, "").strip()
        if not text and default is not None:
            return default
        try:
            return reader(text)
        except ValueError as error:
            self.problems.append(f"{name}: {'wrong' if text else 'missing'}. Set it to {error}.")
            return default

    def secret(self, name: str, default: str | None = None) -> str:
        """Return the key in the variable, or in the file that ``name_FILE`` names."""
        file = f"{name}_FILE"
        if os.environ.get(name) and os.environ.get(file):
            self.problems.append(f"{name} and {file} are both set: keep one.")
            return ""
        in_file = os.environ.get(file)
        return str(self.read(file, contents) if in_file else self.read(name, key, default))

    def refuse_to_start_if_wrong(self) -> None:
        """Exit with one line for each variable that is missing or wrong."""
        if self.problems:
            raise SystemExit("\n".join(self.problems))


def matching(pattern: str, takes: str = "") -> Callable[[str], str]:
    """Return a reader of text that matches ``pattern`` as a whole."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(takes or pattern)
        return text

    return read


def several(reader: Callable[[str], str]) -> Callable[[str], list[str]]:
    """Return a reader of comma-separated lists, whose items ``reader`` reads."""
    return lambda text: [reader(item.strip()) for item in text.split(",")]


# SQLite uses write-ahead logging and takes the write lock when a transaction begins, so that
# writers wait for each other and never fail half way. PostgreSQL gets a connection pool, with
# four connections more than there are turns, for streams; if the database cannot be reached,
# a request waits two seconds for a connection. After five runs a statement is prepared, so
# PostgreSQL need not plan it again; pgbouncer supports that since 1.21.
OPTIONS: dict[str, dict[str, Any]] = {
    "sqlite3": {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    },
    "postgresql": {
        "pool": {"min_size": 1, "max_size": TURNS + 4, "timeout": 2, "reconnect_timeout": 0},
        "connect_timeout": 2,  # seconds
        "tcp_user_timeout": 10_000,  # milliseconds: a host that says nothing is away
        "server_side_binding": True,
        "prepare_threshold": 5,
    },
}
DATABASE = "a PostgreSQL or SQLite URL, without connection settings such as conn_max_age"
HOST = r"\.?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\]"
ORIGIN = r"[a-z][a-z0-9+.-]*://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(:[1-9][0-9]{,4})?"
PREFIX = r"(?!/(api|admin|health|static|\.well-known)(/|\Z))(/[\w.~-]+)+/?"
# jinja: if cookiecutter.accounts == "open"
sender = matching(r"[^@,]+@[^\s@,]+", "a sender, for example My API <noreply@example.com>")
pages = matching(r"https?://[^\s/#][^\s#]*", "a web address such as https://app.example.com")
# jinja: endif
key = matching("(?s).+", "what `manage.py generate_signing_key` prints")
number = matching("[0-9]{1,9}", "a number, for example 1")
hosts = several(matching(HOST, "host names, for example api.example.com,10.0.0.7"))
origin = matching(ORIGIN, "origins, for example https://app.example.com")
url_prefix = matching(PREFIX, "a path such as /backend that this project does not use itself")


def origins(text: str) -> list[str]:
    """Read origins as people write them, and return them as browsers send them."""
    found = [item.strip().rstrip("/").lower() for item in text.split(",")]
    default_port = r"\A(http:.*):80\Z|\A(https:.*):443\Z"
    return [origin(re.sub(default_port, r"\1\2", item)) for item in found]


def boolean(text: str) -> bool:
    """Read ``true`` or ``false``."""
    return matching("true|false")(text.lower()) == "true"


def contents(path: str) -> str:
    """Return the content of the file at ``path``."""
    try:
        return Path(path).read_text(encoding="utf-8-sig").strip()
    except (OSError, ValueError):
        raise ValueError(f"the path of a file that can be read, not {path}") from None


def secret_key(text: str) -> str:
    """Read Django's secret key, as strictly as Django's deployment check."""
    if len(text) < 50 or len(set(text)) < 5 or text.startswith("django-insecure-"):
        raise ValueError("at least 50 random characters")
    return text


secret_keys = several(secret_key)


def database(url: str) -> dict[str, Any]:
    """Read a database URL, and return Django's ``DATABASES`` entry for concurrent requests.

    Options in the URL, such as ``sslmode``, override ``OPTIONS``; those that contradict the
    pool are refused.
    """
    try:
        config: dict[str, Any] = dict(dj_database_url.parse(url))
        options = OPTIONS[config["ENGINE"].rpartition(".")[2]]
    except (ValueError, KeyError):
        raise ValueError(DATABASE) from None
    wanted = config.get("OPTIONS", {})
    if not config["NAME"] or wanted.keys() & {"conn_max_age", "conn_health_checks", "pool"}:
        raise ValueError(DATABASE)
    return config | {"OPTIONS": options | wanted}
