"""Reading settings from the environment, with every mistake reported at once."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dj_database_url
from psycopg.pq import Conninfo

from config.settings.base import TURNS

#: What each variable takes, for the one line that is printed when it is unusable.
ACCEPTS = {
    "DJANGO_SECRET_KEY": "at least 50 random characters, not the signing key",
    "DJANGO_SECRET_KEY_FALLBACKS": "earlier secret keys, comma separated",
    "DJANGO_ALLOWED_HOSTS": "host names, for example api.example.com,10.0.0.7",
    "DATABASE_URL": "for example postgresql://user:password@host:5432/name",
    "JWT_SIGNING_KEY": "what `manage.py generate_signing_key` prints",
    "JWT_VERIFYING_KEYS": "such keys, one per line",
    # jinja: if cookiecutter.accounts == "open"
    "EMAIL_URL": "for example smtp+tls://user:password@mail.example.com:587",
    "DEFAULT_FROM_EMAIL": "the sender of e-mails, for example My API <noreply@example.com>",
    "FRONTEND_URL": "the pages that e-mails lead to, for example https://app.example.com",
    # jinja: endif
    "CORS_ALLOWED_ORIGINS": "origins, for example https://app.example.com",
    "CSRF_TRUSTED_ORIGINS": "origins of the admin, for example https://api.example.com:8443",
    "TRUSTED_PROXIES": "how many proxies stand in front, for example 1",
    "URL_PREFIX": "a path such as /backend, and none of this project's own",
    "SECURE_SSL_REDIRECT": "true or false",
    "LOG_LEVEL": "DEBUG, INFO, WARNING, ERROR or CRITICAL",
}

#: What earlier versions read, and what to do instead.
REPLACED = {
    "REDIS_URL": "The database counts failed logins: remove it.",
    "BIND": "Set GRANIAN_HOST and GRANIAN_PORT.",
    "WORKERS": "Set GRANIAN_WORKERS.",
    "THREADS": "Set GRANIAN_BLOCKING_THREADS, or TURNS in config/settings/base.py.",
}

#: What a database URL may say after its question mark.
OPTIONS = {
    "django.db.backends.sqlite3": {"timeout", "transaction_mode", "init_command"},
    "django.db.backends.postgresql": {"prepare_threshold", "server_side_binding"}
    | {option.keyword.decode() for option in Conninfo.get_defaults()},
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
        """What ``reader`` makes of the variable. It is required where ``default`` is None.

        A reader raises ``ValueError``, which may say what is wrong but not the value.
        """
        text = os.environ.get(name, "").strip()
        try:
            if text:
                return reader(text)
            problem = "It is missing."
        except ValueError as error:
            problem = str(error)
        if text or default is None:
            self.problems.append(f"{name}: {problem} It takes {ACCEPTS[name]}.")
        return default

    def secret(self, name: str, default: str | None = None) -> str:
        """The text of the variable, or of the file that ``name_FILE`` names."""
        path = os.environ.get(f"{name}_FILE")
        if not path:
            return str(self.read(name, str, default))
        if os.environ.get(name):
            self.problems.append(f"{name} and {name}_FILE are both set: keep one.")
            return ""
        try:
            return Path(path).read_text(encoding="utf-8-sig").strip()
        except (OSError, ValueError):
            self.problems.append(f"{name}_FILE: {path} cannot be read.")
            return ""

    def refuse_to_start_if_wrong(self) -> None:
        """Ends the process with one line for each missing or unusable variable."""
        if self.problems:
            raise SystemExit("\n".join(self.problems))


def matching(pattern: str) -> Callable[[str], str]:
    """A reader of texts of which all matches ``pattern``."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError("It is something else.")
        return text

    return read


def natural(text: str) -> int:
    """A reader of numbers from 0 on."""
    return int(matching(r"[0-9]{1,9}")(text))


def boolean(text: str) -> bool:
    """A reader of ``true`` and ``false``."""
    return matching("true|false|1|0")(text.lower()) in ("true", "1")


def several(reader: Callable[[str], str]) -> Callable[[str], list[str]]:
    """A reader of comma-separated lists of what ``reader`` reads."""
    return lambda text: [reader(item.strip()) for item in text.split(",")]


hosts = several(matching(r"\.?[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]"))
origin = matching(r"[a-z][a-z0-9+.-]*://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]+)?")
url_prefix = matching(r"(?!/(api|admin|health|static|\.well-known)(/|\Z))(/[\w.~-]+)+/?")


def origins(text: str) -> list[str]:
    """A reader of origins as people write them, which makes of them what browsers send."""
    found = [item.strip().rstrip("/").lower() for item in text.split(",")]
    default_port = r"\A(http:.*):80\Z|\A(https:.*):443\Z"
    return [origin(re.sub(default_port, r"\1\2", item)) for item in found]


def secret_key(text: str) -> str:
    """A reader of Django's secret key: asks what its deployment check asks for."""
    if len(text) < 50 or len(set(text)) < 5 or text.startswith("django-insecure-"):
        raise ValueError("It is too short, or a placeholder.")
    return text


secret_keys = several(secret_key)


def database(url: str) -> dict[str, Any]:
    """A reader of database URLs: Django's ``DATABASES`` entry, for concurrent requests.

    SQLite writes ahead and takes the write lock at once, so that writers wait for each
    other and never fail half way. PostgreSQL keeps a pool, with four connections more than
    there are turns, for streams; while it is away a request waits two seconds for one.
    What a connection has run five times it
    prepares, so that PostgreSQL plans it no more; a pgbouncer between them must be 1.21 or
    newer. Options in the URL, such as ``sslmode``, come on top.
    """
    config: dict[str, Any] = dict(dj_database_url.parse(url))
    if not config["NAME"] or config["ENGINE"] not in OPTIONS:
        raise ValueError("It is not the URL of a PostgreSQL or SQLite database.")
    wanted: dict[str, Any] = config.get("OPTIONS", {})
    if unknown := wanted.keys() - OPTIONS[config["ENGINE"]]:
        raise ValueError(f"There is no option {', '.join(sorted(unknown))}.")
    if config["ENGINE"].endswith("sqlite3"):
        options: dict[str, Any] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    else:
        options = {
            "pool": {"min_size": 1, "max_size": TURNS + 4, "timeout": 2, "reconnect_timeout": 0},
            "connect_timeout": 2,  # seconds
            "tcp_user_timeout": 10_000,  # milliseconds: a host that says nothing is away
            "server_side_binding": True,
            "prepare_threshold": 5,
        }
    config["OPTIONS"] = options | wanted
    return config
