"""Tests: SQLite, or PostgreSQL if DATABASE_URL names one, with new keys for each run."""

import os

from django.core.management.utils import get_random_secret_key

from config.env import database
from config.settings.base import *
from config.settings.base import PASSWORD_HASHERS, SIMPLE_JWT
from tokens.algorithms import generate_key

ALLOWED_HOSTS = ["testserver", "localhost"]
SECRET_KEY = get_random_secret_key()
JWT_SIGNING_KEY = generate_key(str(SIMPLE_JWT["ALGORITHM"]))

DATABASES = {"default": database(os.environ.get("DATABASE_URL") or "sqlite:///:memory:")}
DATABASES["default"]["OPTIONS"].pop("pool", None)  # the test runner drops databases

# Safe hashing is slow on purpose, and most tests create a user.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]

# If you add throttling, the requests of one test do not count against another's.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
