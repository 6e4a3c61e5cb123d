"""With a read replica, sessions and failures are read where they are written."""

from __future__ import annotations

from pathlib import Path

from conftest import render
from test_generated import run

ROUTER = '''
class Replica:
    """Send reads to a replica, which is empty here: whoever asks it finds nothing."""

    def db_for_read(self, model, **hints):
        return "replica" if model.__name__ in ("LoginSession", "Failure") else None

    def db_for_write(self, model, **hints):
        return "default"

    def allow_relation(self, *objects, **hints):
        return True

    def allow_migrate(self, db, *arguments, **hints):
        return db == "default"
'''
SETTINGS = """
DATABASES["replica"] = {**DATABASES["default"], "NAME": "replica.sqlite3"}
DATABASE_ROUTERS = ["config.replica.Replica"]
"""


def test_a_replica_never_answers_for_a_session(tmp_path: Path) -> None:
    project = render(tmp_path)
    (project / "config" / "replica.py").write_text(ROUTER)
    with (project / "config" / "settings" / "test.py").open("a") as settings:
        settings.write(SETTINGS)
    chosen = ["tests/promises/test_refresh.py", "tests/promises/test_accounts.py"]
    run(project, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen)
