"""Secrets for development, created on first use and kept out of git."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def local_secret(path: Path, make: Callable[[], str]) -> str:
    """Return the text in the file ``path``, which ``make`` writes if it does not exist.

    Processes that start at the same time agree on one text: each writes a file of its
    own, and the first one to link it to ``path`` wins.
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
