"""Apps import only from the apps below them, so that each can be read by itself."""

import ast
from pathlib import Path

from tests.conftest import each

ROOT = Path(__file__).parent.parent
ROOMS = ["config", "tokens", "users", "api"]


@each("room", *ROOMS)
def test_imports_run_downwards_only(room: str) -> None:
    above = {*ROOMS[: ROOMS.index(room)]}
    for file in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not above & {name.partition(".")[0] for name in names}, file
