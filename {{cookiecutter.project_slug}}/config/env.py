"""Reading settings from the environment, with every mistake reported at once."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dj_database_url
from environs import Env, EnvValidationError, ValidationError

#: What each variable takes, for the one line that is printed when it is unusable.
ACCEPTS = {
    "DJANGO_SECRET_KEY": "at least 50 random characters, not the signing key",
    "DJANGO_SECRET_KEY_FALLBACKS": "earlier secret keys, comma separated",
    "DJANGO_ALLOWED_HOSTS": "host names, for example api.example.com,10.0.0.7",
    "DATABASE_URL": "for example postgresql://user:password@host:5432/name",
    "JWT_SIGNING_KEY": "what `manage.py generate_signing_key --settings config.settings.development` prints",
    "JWT_VERIFYING_KEYS": "PEM keys one after another, or one HMAC secret per line",
    # jinja: if cookiecutter.accounts == "open"
    "EMAIL_URL": "for example smtp+tls://user:password@mail.example.com:587",
    "DEFAULT_FROM_EMAIL": "the sender of e-mails, for example My API <noreply@example.com>",
    "FRONTEND_URL": "the pages that e-mails lead to, for example https://app.example.com",
    # jinja: endif
    "CORS_ALLOWED_ORIGINS": "origins, for example https://app.example.com",
    "TRUSTED_PROXIES": "how many proxies stand in front, for example 1",
    "SECURE_SSL_REDIRECT": "true or false",
    "LOG_LEVEL": "DEBUG, INFO, WARNING, ERROR or CRITICAL",
}


class Environment(Env):
    """``environs.Env`` that gathers what is wrong instead of raising at the first.

    An empty variable counts as unset, since compose files pass empty ones.
    """

    def __init__(self) -> None:
        for name in ACCEPTS:
            if not os.environ.get(name, "").strip():
                os.environ.pop(name, None)
        super().__init__(eager=False)
        self.problems: list[str] = []

    def secret(self, name: str, *, required: bool = False) -> str:
        """The text of ``name``, or of the file that ``name_FILE`` names."""
        path = os.environ.get(f"{name}_FILE")
        if path and name in os.environ:
            self.problems.append(f"{name} and {name}_FILE are both set: keep one.")
        elif path:
            try:
                return Path(path).read_text(encoding="utf-8-sig").strip()
            except (OSError, ValueError):
                self.problems.append(f"{name}_FILE: {path} cannot be read.")
        elif required or name in os.environ:
            return self.str(name) or ""
        return ""

    def refuse_to_start_if_wrong(self) -> None:
        """Ends the process with one line for each missing or unusable variable."""
        try:
            self.seal()
        except EnvValidationError as error:
            self.problems += [
                f"{name}: {' '.join(messages)} It takes {ACCEPTS.get(name, 'another value')}."
                for name, messages in error.error_messages.items()  # type: ignore[union-attr]
            ]
        if self.problems:
            raise SystemExit("\n".join(self.problems))


def each(validator: Callable[[str], Any]) -> Callable[[list[str]], Any]:
    """A validator for lists that asks ``validator`` about every item."""
    return lambda items: [validator(item) for item in items]


def secret_key(key: str) -> None:
    """A validator for Django's secret key: what its deployment check asks for."""
    if len(key) < 50 or len(set(key)) < 5 or key.startswith("django-insecure-"):
        raise ValidationError("Too short, or a placeholder.")


def database_url(url: str) -> None:
    """A validator for the database URLs that ``database`` takes."""
    try:
        config = dj_database_url.parse(url)
    except ValueError:
        raise ValidationError("Not a valid database URL.") from None
    if not config["NAME"] or not config["ENGINE"].endswith(("postgresql", "sqlite3")):
        raise ValidationError("Not the URL of a PostgreSQL or SQLite database.")


def database(url: str, connections: int = 8) -> dict[str, Any]:
    """Django's ``DATABASES`` entry for ``url``, set up for concurrent requests.

    SQLite writes ahead and takes the write lock at once, so that writers wait for
    each other and never fail half way. PostgreSQL keeps a pool of ``connections``; while
    it is away a request waits two seconds for one.
    What a connection has run five times it prepares, so that PostgreSQL plans it no
    more; a pgbouncer between them must be 1.21 or newer. Options in the URL, such as
    ``sslmode``, come on top.
    """
    config: dict[str, Any] = dict(dj_database_url.parse(url))
    if config["ENGINE"].endswith("sqlite3"):
        options: dict[str, Any] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
    else:
        options = {
            "pool": {"min_size": 1, "max_size": connections, "timeout": 2, "reconnect_timeout": 0},
            "connect_timeout": 2,  # seconds
            "tcp_user_timeout": 10_000,  # milliseconds: a host that says nothing is away
            "server_side_binding": True,
            "prepare_threshold": 5,
        }
    config["OPTIONS"] = options | config.get("OPTIONS", {})
    return config
