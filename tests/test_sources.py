"""The project is the same wherever the template is from, and whatever renders it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")
NAME = "cookiecutter-django-simplejwt"
ANSWERS = {"project_name": "Shop", "algorithm": "ES256", "extra_claims": "role:str=m"}
AUTHOR = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]


def run(*command: str, cwd: Path) -> str:
    """Run a command, which must succeed, and return its output."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def git(folder: Path, *arguments: str) -> str:
    return run("git", *AUTHOR, *arguments, cwd=folder)


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def cruft(folder: Path, *arguments: str) -> str:
    return run(sys.executable, "-m", "cruft", *arguments, cwd=folder)


def rendered(template: str, folder: Path) -> Path:
    """Return the project that cookiecutter renders from this template."""
    folder.mkdir()
    answers = [f"{key}={answer}" for key, answer in ANSWERS.items()]
    options = ["--no-input", "--accept-hooks", "no", "-o", str(folder)]
    run(
        *(sys.executable, "-m", "cookiecutter", template, *options, *answers),
        cwd=folder,
    )
    return folder / "shop"


def contents(project: Path) -> dict[str, bytes]:
    """Return all files of a project, except those of git and cruft."""
    files = (path for path in project.rglob("*") if path.is_file())
    return {
        str(path.relative_to(project)): path.read_bytes()
        for path in files
        if ".git" not in path.relative_to(project).parts and path.name != ".cruft.json"
    }


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository that holds the template as it is now."""
    folder = tmp_path / NAME
    left = shutil.ignore_patterns(".git", ".venv*", "*cache*", "build", "*.egg-info")
    shutil.copytree(ROOT, folder, ignore=left)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "Start")
    return folder


def test_a_path_a_git_url_and_a_zip_render_the_same(
    repository: Path, tmp_path: Path
) -> None:
    archive = tmp_path / f"{NAME}.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.mkdir(f"{NAME}/")  # the folder must come first
        for path in sorted(repository.rglob("*")):
            if path.is_file() and ".git" not in path.relative_to(repository).parts:
                file.write(path, Path(NAME, path.relative_to(repository)))
    by_path = contents(rendered(str(ROOT), tmp_path / "path"))
    assert contents(rendered(f"file://{repository}", tmp_path / "git")) == by_path
    assert contents(rendered(str(archive), tmp_path / "zip")) == by_path


def test_cruft_creates_the_same_project_and_carries_changes_over(
    repository: Path, tmp_path: Path
) -> None:
    by_cookiecutter = contents(rendered(str(ROOT), tmp_path / "plain"))
    answers = [f'"{key}": "{answer}"' for key, answer in ANSWERS.items()]
    extra = ["--extra-context", "{" + ", ".join(answers) + "}"]
    cruft(tmp_path, "create", str(repository), "--no-input", *extra)
    project = tmp_path / "shop"
    assert contents(project) == by_cookiecutter
    git(project, "init", "--quiet")
    commit(project, "Start")
    assert cruft(project, "diff") == ""

    own = project / "manage.py"
    own.write_text(f"{own.read_text('utf-8')}# Our own line.\n", "utf-8")
    commit(project, "Go our own way")
    source = repository / "{{cookiecutter.project_slug}}" / "config" / "jwt.py"
    text = source.read_text("utf-8")
    source.write_text(text.replace("seconds=10", "seconds=20"), "utf-8")
    commit(repository, "Be more patient")
    cruft(project, "update", "--skip-apply-ask")

    assert "timedelta(seconds=20)" in (project / "config" / "jwt.py").read_text("utf-8")
    assert "Our own line" in own.read_text("utf-8")
    changed = git(project, "diff", "HEAD", "--name-only").split()
    assert changed == [".cruft.json", "config/jwt.py"]


def test_cruft_renders_no_wrong_answer(repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "projects"
    folder.mkdir()
    command = [sys.executable, "-m", "cruft", "create", str(repository), "--no-input"]
    extra = ["--extra-context", '{"access_token_lifetime": "5 potatoes"}']
    done = subprocess.run(
        [*command, *extra], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "access_token_lifetime: '5 potatoes'" in done.stdout + done.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.full
def test_the_oldest_cookiecutter_renders_the_same(tmp_path: Path) -> None:
    """The README names it."""
    oldest = re.search(r"cookiecutter (\d\.\d) or newer", README)
    assert oldest
    uv = [sys.executable, "-m", "uv"]
    run(*uv, "venv", "-q", "-p", sys.executable, "old", cwd=tmp_path)
    folder = tmp_path / "old" / ("Scripts" if os.name == "nt" else "bin")
    package = f"cookiecutter=={oldest[1]}.0"
    python = ["-p", str(folder / "python")]
    run(*uv, "pip", "install", "-q", *python, package, cwd=tmp_path)
    answers = [f"{key}={answer}" for key, answer in ANSWERS.items()]
    command = [str(folder / "cookiecutter"), str(ROOT), "--no-input", *answers]
    run(*command, cwd=tmp_path)
    by_newest = rendered(str(ROOT), tmp_path / "newest")
    assert contents(tmp_path / "shop") == contents(by_newest)
    wrong = [*command, "-f", "access_token_lifetime=RS256"]
    done = subprocess.run(wrong, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.startswith("access_token_lifetime: 'RS256' is not a duration.")
