"""What the tests share: a template to bake, without the user's own settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cookiecutter.cli import main
from cookiecutter.main import cookiecutter as generate

ROOT = Path(__file__).parent.parent
SETTINGS = json.loads((ROOT / "cookiecutter.json").read_text("utf-8"))
KEYS = [key for key in SETTINGS if not key.startswith("_")]
DEFAULTS = {
    "project_name": "My API",
    "project_slug": "my_api",
    "login_field": "username",
    "access_token_lifetime": "5 minutes",
    "refresh_token_lifetime": "1 day",
    "session_lifetime": "30 days",
    "algorithm": "HS256",
    "auth_header_type": "Bearer",
    "extra_claims": "username",
    "claims_in": "token and response",
    "refresh_token_in": "body",
    "accounts": "closed",
}

CommandLine = Callable[..., Result]


def render(folder: Path, **answers: str) -> Path:
    """Generate a project in ``folder``; answers that are not given are the defaults."""
    project = generate(
        str(ROOT),
        no_input=True,
        extra_context=answers,
        output_dir=str(folder),
        accept_hooks=False,
    )
    return Path(project)


def make_environment(folder: Path, *packages: str) -> str:
    """Install what a rendered project and its tests need, and return the Python.

    ``packages`` are installed last, and replace the project's own versions.
    """
    project = render(folder)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run(
        [*uv, "venv", "-q", "-p", sys.executable, folder, "--allow-existing"],
        check=True,
    )
    install = [*uv, "pip", "install", "-q", "-p", str(python)]
    own = ["-r", "pyproject.toml", "--group", "dev"]
    subprocess.run([*install, *own], cwd=project, check=True)
    if packages:
        subprocess.run([*install, *packages], check=True)
    return str(python)


def pytest_configure(config: pytest.Config) -> None:
    """Make one environment for the rendered projects of this run.

    If ``RENDERED_PYTHON`` names one that exists, that is used instead.
    """
    if "RENDERED_PYTHON" in os.environ or config.option.collectonly:
        return
    cache = subprocess.run(
        [sys.executable, "-m", "uv", "cache", "dir"],
        check=True,
        capture_output=True,
        text=True,
    )
    os.environ.setdefault(
        "UV_CACHE_DIR", cache.stdout.strip()
    )  # tests have another home
    folder = tempfile.TemporaryDirectory(prefix="rendered-")
    config.add_cleanup(folder.cleanup)
    os.environ["RENDERED_PYTHON"] = make_environment(Path(folder.name))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many of the tests that need PostgreSQL ran, and how many did not."""
    counts = {
        outcome: sum("postgresql" in report.nodeid for report in reports)
        for outcome, reports in terminalreporter.stats.items()
        if outcome in ("passed", "failed", "skipped")
    }
    told = ", ".join(f"{n} {outcome}" for outcome, n in counts.items() if n)
    terminalreporter.write_line(f"On PostgreSQL: {told or 'none ran'}")


@pytest.fixture(scope="session", autouse=True)
def _own_configuration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Shut out the user's configuration, replays and colours, here and in children."""
    home = tmp_path_factory.mktemp("home")
    folders = {"cookiecutters_dir": home / "templates", "replay_dir": home / "replays"}
    config = home / "config.yaml"
    config.write_text("".join(f"{key}: {path}\n" for key, path in folders.items()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COOKIECUTTER_CONFIG", str(config))
        patch.setenv("HOME", str(home))
        patch.setenv("NO_COLOR", "1")
        patch.delenv("FORCE_COLOR", raising=False)
        yield


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Return the folder into which projects are generated."""
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


@pytest.fixture
def cookiecutter(output: Path) -> CommandLine:
    """Return cookiecutter's command line, called in this process, without hooks."""

    def call(*arguments: str, keys: str | None = None, hooks: bool = False) -> Result:
        options = ["-o", str(output), "--accept-hooks", "yes" if hooks else "no"]
        return CliRunner().invoke(main, [str(ROOT), *arguments, *options], input=keys)

    return call
