"""Secrets for development, made on first use and kept out of git."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def local_secret(path: Path, make: Callable[[], str]) -> str:
    """The text in ``path``, made by ``make`` if there is none yet.

    Several processes that start at once agree on one: each writes a file of its own
    and the first to link it to ``path`` wins.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(make())
        with suppress(FileExistsError):
            os.link(draft, path)
        os.unlink(draft)
    return path.read_text(encoding="utf-8")
