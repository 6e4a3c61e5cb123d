"""Development: works from a fresh clone, without any configuration.

The database, the secrets and the signing key are made on first use in ``.local/``,
which git ignores.
"""

import os
from functools import partial
from urllib.parse import quote

from django.core.management.utils import get_random_secret_key

from config.env import database
from config.local import local_secret
from config.settings.base import *
from config.settings.base import BASE_DIR, SIMPLE_JWT
from tokens.algorithms import generate_key

DEBUG = True
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

LOCAL = BASE_DIR / ".local"
ALGORITHM = str(SIMPLE_JWT["ALGORITHM"])
SECRET_KEY = local_secret(LOCAL / "django-secret-key", get_random_secret_key)
JWT_SIGNING_KEY = local_secret(
    LOCAL / f"jwt-signing-key-{ALGORITHM}", partial(generate_key, ALGORITHM)
)

SQLITE_URL = f"sqlite:///{quote(str(LOCAL / 'db.sqlite3'))}"
DATABASES = {"default": database(os.environ.get("DATABASE_URL") or SQLITE_URL)}
