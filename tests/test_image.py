"""The steps of the rendered Dockerfile, compose file and workflow, run right here."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml
from cluster import Machine
from development import Development
from servers import PYTHON, Project

SECRETS = re.compile(r"SECRET|PASSWORD|SIGNING")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path, f"sqlite:///{tmp_path / 'db.sqlite3'}")
    project.environment["PATH"] = f"{Path(PYTHON).parent}:{os.environ['PATH']}"
    return project


def instructions(project: Project, name: str) -> list[str]:
    """Return what follows each ``name`` in the Dockerfile, continued lines joined."""
    text = (project.folder / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    return re.findall(rf"^{name} +(.+)$", text, re.MULTILINE)


def test_the_image_is_built_migrated_served_and_healthy(project: Project) -> None:
    collect = instructions(project, "RUN")[-2]
    bare = {"PATH": project.environment["PATH"]}
    subprocess.run(collect, shell=True, check=True, cwd=project.folder, env=bare)
    compose = yaml.safe_load((project.folder / "compose.yaml").read_text("utf-8"))
    migrate = compose["services"]["migrate"]["command"]
    subprocess.run(migrate, check=True, cwd=project.folder, env=project.environment)

    machine = Machine(project, project.folder / "log")
    probe = json.loads(instructions(project, "HEALTHCHECK")[0].partition("CMD ")[2])
    probe = [part.replace(":8000", f":{machine.port}") for part in probe]
    hosts = {"DJANGO_ALLOWED_HOSTS": ".example.com, 127.0.0.1"}

    def is_healthy() -> bool:
        environment = project.environment | hosts
        return subprocess.run(probe, env=environment, check=False).returncode == 0

    assert json.loads(instructions(project, "CMD")[-1]) == ["gunicorn"]
    assert not is_healthy()
    machine.start(**hosts)
    try:
        assert is_healthy()
    finally:
        machine.stop()


@pytest.mark.skipif(os.name == "nt", reason="there is no hadolint for Windows")
def test_a_linter_has_nothing_to_say_about_the_image(project: Project) -> None:
    linter = Path(sysconfig.get_path("scripts")) / "hadolint"
    command = [str(linter), "--failure-threshold", "style", "Dockerfile"]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_no_layer_holds_a_secret_and_nobody_is_root(project: Project) -> None:
    for name in ("ENV", "ARG"):
        assert not any(map(SECRETS.search, instructions(project, name)))
    assert int(instructions(project, "USER")[-1]) > 0
    ignored = (project.folder / ".dockerignore").read_text("utf-8").splitlines()
    assert {".env", ".local", ".git"} <= set(ignored)


@pytest.mark.parametrize("slug", ["a", "my-api_2", "a-__b", "no"])
def test_compose_migrates_before_it_serves(tmp_path: Path, slug: str) -> None:
    folder = Project(tmp_path, "", project_slug=slug).folder
    compose = yaml.safe_load((folder / "compose.yaml").read_text("utf-8"))
    app, migrate = (compose["services"][name] for name in ("app", "migrate"))
    assert compose["name"] == slug
    assert re.fullmatch("[a-z0-9]+(?:-+[a-z0-9]+)*", app["image"])
    assert app["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert app["env_file"] == migrate["env_file"] == ".env"
    assert migrate["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert "app" not in migrate["depends_on"]


def test_the_example_environment_starts_once_it_is_filled_in(project: Project) -> None:
    """Every variable of the example is known, and none has a secret in it."""
    text = (project.folder / ".env.example").read_text("utf-8")
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))
    assert not any(example[name] for name in example if SECRETS.search(name))
    filled = {name: value for name, value in example.items() if value}
    project.manage("check", **filled)
    optional = re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE)
    source = (project.folder / "config/env.py").read_text("utf-8")
    known = set(re.findall(r'^    "([A-Z_]+)": "', source, re.MULTILINE))
    known |= {"JWT_ISSUER", "JWT_AUDIENCE", "POSTGRES_PASSWORD"}
    assert known - {"BIND"} == set(optional)


def test_the_checks_of_the_rendered_workflow_are_content(tmp_path: Path) -> None:
    """But for the types, which ``test_generated`` checks, and what installs."""
    project = Development(tmp_path)
    workflow = yaml.safe_load(project.read(".github/workflows/ci.yml"))
    steps = [step for step in workflow["jobs"]["quality"]["steps"] if "run" in step]
    assert steps[-1]["name"] == "Deployment check"
    for step in steps:
        if step["name"] not in ("Install", "Types"):
            environment = step.get("env", {}).items()
            exports = [f"export {key}={shlex.quote(text)}" for key, text in environment]
            project.shell.run("\n".join([*exports, step["run"]]), project.folder)
