"""Development: works from a fresh clone, without any configuration.

The database, the secrets and the signing key are created on first use in ``.local/``,
which git ignores.
"""

from urllib.parse import quote

from django.core.management.utils import get_random_secret_key

from config import env
from config.local import local_secret
from config.settings.base import *
from config.settings.base import BASE_DIR, SIMPLE_JWT
from tokens.algorithms import generate_key

DEBUG = True

LOCAL = BASE_DIR / ".local"
ALGORITHM = str(SIMPLE_JWT["ALGORITHM"])
SECRET_KEY = local_secret(LOCAL / "django-secret-key", get_random_secret_key)
KEY_FILE = LOCAL / f"jwt-signing-key-{ALGORITHM}"
JWT_SIGNING_KEY = local_secret(KEY_FILE, lambda: generate_key(ALGORITHM))

SQLITE_URL = f"sqlite:///{quote(str(LOCAL / 'db.sqlite3'))}"

# For phones and emulators, which know this machine by another name, or serve their own pages.
variables = env.Environment({})
DATABASES = {"default": variables.read("DATABASE_URL", env.database, env.database(SQLITE_URL))}
OTHER_HOSTS = variables.read("DJANGO_ALLOWED_HOSTS", env.hosts, [])
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *OTHER_HOSTS]
CORS_ALLOWED_ORIGINS = variables.read("CORS_ALLOWED_ORIGINS", env.origins, [])
CORS_ALLOWED_ORIGIN_REGEXES = [r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?\Z"]
variables.refuse_to_start_if_wrong()
