"""This project in production settings, in a separate process."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.core.management.utils import get_random_secret_key

ROOT = Path(__file__).parent.parent
VARIABLES = {
    "DJANGO_SETTINGS_MODULE": "tests.collected",
    "DJANGO_SECRET_KEY": get_random_secret_key(),
    "DJANGO_ALLOWED_HOSTS": "api.example.com",
    "DATABASE_URL": "sqlite:///:memory:",
    "JWT_SIGNING_KEY": settings.JWT_SIGNING_KEY,
    # jinja: if cookiecutter.accounts == "open"
    "EMAIL_URL": "smtp+tls://user:p%40ss@mail.example.com",
    "DEFAULT_FROM_EMAIL": "My API <noreply@my-api.test>",
    "FRONTEND_URL": "https://app.example.com/",
    # jinja: endif
}
# What Python itself may need. Nothing else is passed on from this environment.
KEPT = {"PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "COVERAGE_PROCESS_CONFIG"}


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run ``python *arguments``; ``environment`` adds to or replaces VARIABLES."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**kept, **VARIABLES, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
