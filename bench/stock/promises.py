"""Run a rendered project's promises against a plain setup of SimpleJWT.

``scripts/stock_promises.py`` runs a project's tests with these settings. Its modules
exist only for the tests to import; except for the user model, they are not used.
"""

import os

os.environ |= dict.fromkeys(("DJANGO_SECRET_KEY", "JWT_SIGNING_KEY"), "")
os.environ["DATABASE_URL"] = "sqlite:///:memory:"

from config.settings import test
from config.settings.test import *  # noqa: F403
from tokens.algorithms import read_keys

from stock import settings as stock

INSTALLED_APPS = [*stock.INSTALLED_APPS, "users", "tokens"]
MIDDLEWARE, REST_FRAMEWORK = stock.MIDDLEWARE, stock.REST_FRAMEWORK
ROOT_URLCONF = stock.ROOT_URLCONF
[KEY] = read_keys(test.SIMPLE_JWT["ALGORITHM"], test.JWT_SIGNING_KEY)
SIMPLE_JWT = {
    **stock.SIMPLE_JWT,
    "SIGNING_KEY": KEY,
    "VERIFYING_KEY": KEY.public_key() if hasattr(KEY, "public_key") else "",
    "ALGORITHM": test.SIMPLE_JWT["ALGORITHM"],
    "USER_ID_CLAIM": "sub",
}
