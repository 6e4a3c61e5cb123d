"""The steps of the rendered Dockerfile, compose file and workflow, run here."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml
from development import Development
from servers import HOST, PYTHON, Project, eventually, free_port

SECRETS = re.compile(r"SECRET|PASSWORD|SIGNING")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path, f"sqlite:///{tmp_path / 'db.sqlite3'}")
    project.environment["PATH"] = f"{Path(PYTHON).parent}:{os.environ['PATH']}"
    return project


def instructions(project: Project, name: str) -> list[str]:
    """Return the arguments of each ``name`` in the Dockerfile, with lines joined."""
    text = (project.folder / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    return re.findall(rf"^{name} +(.+)$", text, re.MULTILINE)


def image_environment(project: Project) -> dict[str, str]:
    """Return the image's variables for the server, without where it listens."""
    [variables] = [text for text in instructions(project, "ENV") if "GRANIAN" in text]
    image = dict(re.findall(r"(GRANIAN_\w+)=(\S+)", variables))
    return project.environment | image | {"GRANIAN_HOST": HOST}


def test_the_image_is_built_migrated_served_and_healthy(project: Project) -> None:
    shutil.rmtree(project.folder / "staticfiles")
    collect = instructions(project, "RUN")[-2]
    bare = {"PATH": project.environment["PATH"]}
    subprocess.run(collect, shell=True, check=True, cwd=project.folder, env=bare)
    compose = yaml.safe_load((project.folder / "compose.yaml").read_text("utf-8"))
    migrate = compose["services"]["migrate"]["command"]
    subprocess.run(migrate, check=True, cwd=project.folder, env=project.environment)

    port = str(free_port())
    hosts = {"DJANGO_ALLOWED_HOSTS": ".example.com, 127.0.0.1", "PORT": port}
    environment = image_environment(project) | hosts | {"GRANIAN_WORKERS": "2"}
    environment["LOG_LEVEL"] = "INFO"
    probe = json.loads(instructions(project, "HEALTHCHECK")[0].partition("CMD ")[2])
    command = json.loads(instructions(project, "CMD")[-1])

    def is_healthy() -> bool:
        done = subprocess.run(probe, env=environment, stderr=subprocess.DEVNULL)
        return done.returncode == 0

    assert not is_healthy()
    log = project.folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            cwd=project.folder,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        eventually(is_healthy)
        # A worker that is still starting does not hear a signal, and is killed later.
        eventually(lambda: log.read_text("utf-8").count("Started worker-") == 2)
    finally:
        server.terminate()
        assert server.wait(timeout=60) == 0
    lines = log.read_text("utf-8").splitlines()
    assert any(f"http://{HOST}:{port}" in line for line in lines)
    if sys.version_info >= (3, 13):  # which reads PYTHON_CPU_COUNT
        assert not any("WARN" in line for line in lines)


def test_the_image_names_each_mistake_once_and_ends(project: Project) -> None:
    wrong = {"DJANGO_SECRET_KEY": "", "THREADS": "4", "LOG_LEVEL": "LOUD"}
    done = subprocess.run(
        json.loads(instructions(project, "CMD")[-1]),
        cwd=project.folder,
        env=image_environment(project) | wrong,
        capture_output=True,
        timeout=60,
        text=True,
    )
    assert done.returncode == 1
    assert sorted(line.split(":")[0] for line in done.stderr.splitlines()) == sorted(
        wrong
    )


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
def test_compose_migrates_before_it_serves_behind_caddy(
    tmp_path: Path, slug: str
) -> None:
    folder = Project(tmp_path, "", project_slug=slug).folder
    compose = yaml.safe_load((folder / "compose.yaml").read_text("utf-8"))
    services = compose["services"]
    app, migrate, caddy = (services[name] for name in ("app", "migrate", "caddy"))
    assert compose["name"] == slug
    assert re.fullmatch("[a-z0-9]+(?:-+[a-z0-9]+)*", app["image"])
    assert app["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert app["env_file"] == migrate["env_file"] == ".env"
    assert app["environment"]["TRUSTED_PROXIES"] == "${TRUSTED_PROXIES:-1}"
    assert migrate["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert "app" not in migrate["depends_on"]
    published = {
        name: each["ports"] for name, each in services.items() if "ports" in each
    }
    assert published == {"caddy": ["80:80", "443:443"]}
    assert "DOMAIN" in caddy["environment"]


@pytest.mark.parametrize("algorithm", ["HS256", "ES256"])
def test_one_command_writes_the_missing_secrets(tmp_path: Path, algorithm: str) -> None:
    project = Project(tmp_path, "sqlite:///:memory:", algorithm=algorithm)
    project.environment["PATH"] = f"{Path(PYTHON).parent}:{os.environ['PATH']}"
    path = project.folder / ".env"

    def write() -> dict[str, str]:
        command = ["sh", "secrets.sh", "."]
        env = {"PATH": project.environment["PATH"]}
        subprocess.run(command, check=True, cwd=project.folder, env=env)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        return dict(re.findall("^([A-Z_]+)=(.+)$", path.read_text("utf-8"), re.M))

    written = write()
    assert written.keys() == {
        "DJANGO_SECRET_KEY",
        "JWT_SIGNING_KEY",
        "POSTGRES_PASSWORD",
    }
    assert write() == written
    text = path.read_text("utf-8")
    path.write_text(
        f"{re.sub('(?m)^(DJANGO_SECRET_KEY|DOMAIN)=.*', '', text)}DOMAIN=a.b"
    )
    again = write()
    assert again.keys() == written.keys() | {"DOMAIN"}
    assert again["DJANGO_SECRET_KEY"] != written["DJANGO_SECRET_KEY"]
    assert again["JWT_SIGNING_KEY"] == written["JWT_SIGNING_KEY"]
    del project.environment["JWT_SIGNING_KEY"], project.environment["DJANGO_SECRET_KEY"]
    check = 'set -a; . ./.env; python -c "import config.wsgi"'
    subprocess.run(
        check, shell=True, check=True, cwd=path.parent, env=project.environment
    )


def test_the_example_environment_starts_once_it_is_filled_in(project: Project) -> None:
    """Every variable in the example is known, and none contains a secret."""
    text = (project.folder / ".env.example").read_text("utf-8")
    example = dict(re.findall(r"^([A-Z_]+)=(.*)$", text, re.MULTILINE))
    assert not any(example[name] for name in example if SECRETS.search(name))
    filled = {name: value for name, value in example.items() if value}
    project.manage("check", **filled)
    optional = re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE)
    source = (project.folder / "config/settings/production.py").read_text("utf-8")
    known = set(re.findall(r'variables\.\w+\("([A-Z_]+)"', source))
    known |= {"JWT_ISSUER", "JWT_AUDIENCE", "POSTGRES_PASSWORD", "DOMAIN"}
    assert known | {"GRANIAN_WORKERS"} == set(optional)


def test_the_checks_of_the_rendered_workflow_are_content(tmp_path: Path) -> None:
    """The types are checked in ``test_generated``, and nothing is installed here."""
    project = Development(tmp_path)
    workflow = yaml.safe_load(project.read(".github/workflows/ci.yml"))
    steps = [step for step in workflow["jobs"]["quality"]["steps"] if "run" in step]
    assert steps[-1]["name"] == "Deployment check"
    for step in steps:
        if step["name"] not in ("Install", "Types"):
            environment = step.get("env", {}).items()
            exports = [f"export {key}={shlex.quote(text)}" for key, text in environment]
            project.shell.run("\n".join([*exports, step["run"]]), project.folder)


@pytest.mark.full
def test_plain_pip_installs_a_project_and_its_tools(project: Project) -> None:
    python = project.folder / "plain" / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet"]
    for command in (
        [PYTHON, "-m", "venv", "plain"],
        [*pip, "."],
        [*pip, "--upgrade", "pip>=25.1"],
        [*pip, "--dry-run", "--group", "dev"],
        [str(python), "manage.py", "check"],
    ):
        subprocess.run(command, cwd=project.folder, check=True)
