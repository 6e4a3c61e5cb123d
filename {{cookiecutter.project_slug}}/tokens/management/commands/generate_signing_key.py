"""Here is a new key. To rotate to it without logging anyone out:

1. Add it to JWT_VERIFYING_KEYS on every machine and restart them one by one, so that it
   is accepted everywhere before it signs anywhere. Wait five minutes, until services have
   fetched /.well-known/jwks.json again.
2. Swap the two on every machine: the new key goes into JWT_SIGNING_KEY, the old one into
   JWT_VERIFYING_KEYS.
3. Remove the old key when its last refresh token has expired ({lifetime} later).

After a change of ALGORITHM this is impossible: everybody has to log in again.
"""

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rest_framework_simplejwt.settings import api_settings

from tokens.algorithms import ALGORITHMS, UnfitKey, generate_key, read_keys

NO_ROTATION = "ALGORITHM has changed: set this key on every machine. Everybody is logged out."


class Command(BaseCommand):
    help = "Generates a signing key for the configured algorithm and says how to rotate to it."
    requires_system_checks: list[str] = []  # there is no key to check yet

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--algorithm", choices=ALGORITHMS, default=api_settings.ALGORITHM)

    def handle(self, *args: Any, algorithm: str, **options: Any) -> None:
        self.stdout.write("JWT_SIGNING_KEY=" + generate_key(algorithm))
        notes = str(__doc__).format(lifetime=api_settings.REFRESH_TOKEN_LIFETIME)
        try:
            read_keys(algorithm, os.environ.get("JWT_SIGNING_KEY", ""))
        except UnfitKey:
            notes = NO_ROTATION
        self.stderr.write(notes)
