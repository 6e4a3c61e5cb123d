"""``manage.py generate_signing_key``: generates a key, and says how to rotate to it."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rest_framework_simplejwt.settings import api_settings

from tokens.algorithms import ALGORITHMS, UnfitKey, generate_key, read_keys

ROTATION = """
To rotate to it without logging anyone out (impossible after a change of ALGORITHM, when
everybody has to log in again):
 1. Add it to JWT_VERIFYING_KEYS on every machine and restart them one by one, so that it
    is accepted everywhere before it signs anywhere. Wait five minutes, until services have
    fetched /.well-known/jwks.json again.
 2. Swap the two on every machine: the new key goes into JWT_SIGNING_KEY, the old one into
    JWT_VERIFYING_KEYS.
 3. Remove the old key when its last refresh token has expired ({lifetime} later).
"""
NO_ROTATION = """
JWT_SIGNING_KEY now holds a key of another algorithm, so the two cannot overlap. Replace it
on every machine and restart. Everybody is logged out and has to log in again.
"""


class Command(BaseCommand):
    help = "Generates a signing key for the configured algorithm and prints it."
    requires_system_checks: list[str] = []  # there is no key to check yet

    def add_arguments(self, parser: CommandParser) -> None:
        configured = api_settings.ALGORITHM
        parser.add_argument("--algorithm", choices=ALGORITHMS, default=configured)
        parser.add_argument(
            "--output", metavar="FILE", help="write it to a new file that only you can read"
        )

    def handle(self, *args: Any, algorithm: str, output: str, **options: Any) -> None:
        key = generate_key(algorithm)
        if output:
            try:
                Path(output).touch(mode=0o600, exist_ok=False)
                Path(output).write_text(f"{key}\n", encoding="utf-8")
            except OSError as error:
                raise CommandError(f"{output}: {error.strerror}. Nothing was written.") from None
            self.stderr.write(f"Written. Set JWT_SIGNING_KEY_FILE={output}")
        else:
            self.stdout.write("JWT_SIGNING_KEY=" + key)
        try:
            read_keys(algorithm, os.environ.get("JWT_SIGNING_KEY", ""))
            self.stderr.write(ROTATION.format(lifetime=api_settings.REFRESH_TOKEN_LIFETIME))
        except UnfitKey:
            self.stderr.write(NO_ROTATION)
