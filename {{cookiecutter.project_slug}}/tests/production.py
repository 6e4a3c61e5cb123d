"""This project in production settings, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.core.management.utils import get_random_secret_key

ROOT = Path(__file__).parent.parent
VARIABLES = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "DJANGO_SECRET_KEY": get_random_secret_key(),
    "DJANGO_ALLOWED_HOSTS": "api.example.com",
    "DATABASE_URL": "sqlite:///:memory:",
    "JWT_SIGNING_KEY": settings.JWT_SIGNING_KEY,
}


def python(
    *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs ``python *arguments``; ``environment`` adds to or replaces VARIABLES."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO_", "JWT_", "DATABASE_", "REDIS_", "COV_"))
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**inherited, **VARIABLES, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
