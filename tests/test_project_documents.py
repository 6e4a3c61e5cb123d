"""The README and the docs of a rendered project are true: what they say works."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from conftest import ROOT
from development import PASSWORD, USER, Development
from documents import bare_shell, blocks, broken_links, commands
from servers import HOST, MAIL, PYTHON, install_jose

OTHERS = {
    "project_name": "O'Neil's | \"API\"",
    "project_slug": "my_api",
    "login_field": "email",
    "algorithm": "ES256",
    "auth_header_type": "x|'y, Bearer",
    "extra_claims": "email, groups, role:str=member",
    "claims_in": "response",
    "accounts": "open",
}
ANSWERS = [
    pytest.param({}, id="defaults"),
    pytest.param(OTHERS, id="others", marks=pytest.mark.full),
]


@pytest.fixture(scope="module", params=ANSWERS)
def project(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Development:
    return Development(tmp_path_factory.mktemp("project"), **request.param)


@pytest.fixture(scope="module")
def answers(project: Development) -> dict[str, str]:
    """Follow the README from the start, and return the output of its parts."""
    serve, test, no_uv, user, flow, *_ = blocks(project.read("README.md"), "sh")
    assert "pip install uv" in no_uv
    with project.serve(serve.strip()):
        made = project.shell.run(user, project.folder)
        printed = project.shell.run(flow, project.folder)
    tested = project.shell.run(f"{test.strip()} tests/test_choices.py", project.folder)
    return {"user": made, "flow": printed, "test": tested}


def pages(project: Development) -> list[Path]:
    """Return the README and the pages of docs/."""
    return [project.folder / "README.md", *sorted(project.folder.glob("docs/*.md"))]


def call(url: str, header: str | None = None, body: object = None) -> tuple[int, str]:
    request = Request(url, headers={"Content-Type": "application/json"})
    if header:
        request.add_header(*header.split(": ", 1))
    if body:
        request.data = json.dumps(body).encode()
    try:
        answer = urlopen(request, timeout=30)
    except HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.read().decode()


def pair(project: Development) -> dict[str, str]:
    field = project.answer("login_field")
    body = {field: USER[field], "password": PASSWORD}
    return dict(json.loads(call(f"{project.url}/api/token/", body=body)[1]))


def access_token(project: Development) -> str:
    return pair(project)["access"]


def authorization(project: Development, access: str) -> str:
    header_type = project.answer("auth_header_type").split(",")[0]
    return f"Authorization: {header_type} {access}"


def test_the_commands_for_changing_a_choice_work(project: Development) -> None:
    for command in commands("docs/changing-choices.md"):
        project.shell.run(command, project.folder)


def test_what_the_page_on_changing_names_exists(project: Development) -> None:
    text = (ROOT / "docs" / "changing-choices.md").read_text("utf-8")
    for path in set(re.findall(r"`([\w/]+\.\w+)`", text)):
        assert (project.folder / path).is_file(), path
    places = ["config/jwt.py", "config/settings/base.py", "tests/test_choices.py"]
    code = "".join(map(project.read, [*places, "users/models.py"]))
    for name in set(re.findall(r'[`"]([A-Z][A-Z_]+)[`"]', text)):
        assert name in code or name.startswith("JWT_"), name


def test_the_lines_of_the_readme_work_as_they_stand(
    project: Development, answers: dict[str, str]
) -> None:
    before, after, logout, refused = map(json.loads, answers["flow"].splitlines())
    field = project.answer("login_field")
    assert before == after
    assert after[field] == USER[field]
    assert logout == {}
    assert refused["code"] == "token_not_valid"
    assert "passed" in answers["test"]


def test_the_readme_names_every_endpoint(
    project: Development, answers: dict[str, str]
) -> None:
    with project.serve():
        document = json.loads(call(f"{project.url}/api/schema/")[1])
    readme = project.read("README.md").replace("`GET /health/ready/`", "")
    for path, ways in document["paths"].items():
        for way in ways:
            line = f"{way.upper()} {path.replace('{id}', '<id>')}"
            assert line in readme + "GET /health/ready/", line


def test_the_readme_says_which_two_lines_change_a_lifetime(
    project: Development, answers: dict[str, str]
) -> None:
    text = project.read("README.md")
    [lines] = [b for b in blocks(text, "python") if "in config/jwt.py" in b]
    for change in lines.splitlines():
        code, file = re.fullmatch(r"(.+?)  # in (.+)", change).groups()  # type: ignore[union-attr]
        name = re.split("[=:]", code)[0].strip()
        line = re.compile(rf"^(\s*){name}(?=[: ]).+$", re.M)
        path = project.folder / file
        after, count = line.subn(rf"\1{code}", path.read_text("utf-8"))
        assert count == 1
        path.write_text(after, "utf-8")
    project.shell.run("uv run pytest -q tests/test_choices.py", project.folder)


def test_the_next_endpoint_of_the_readme_works(
    project: Development, answers: dict[str, str]
) -> None:
    text = project.read("README.md")
    [view] = [b for b in blocks(text, "python") if "class UserCountView" in b]
    [place] = [b for b in blocks(text, "python") if "as_view()" in b]
    (project.folder / "reports.py").write_text(view, "utf-8")
    urls = project.folder / "config" / "urls.py"
    imported, path = place.strip().split("\n\n")
    urlpatterns = f"{imported}\n\nurlpatterns = [\n    {path},"
    urls.write_text(urls.read_text("utf-8").replace("urlpatterns = [", urlpatterns))
    tests = "tests/test_api.py tests/promises/test_authorisation.py"
    project.shell.run(f"uv run pytest -q {tests}", project.folder)

    demote = "from users.models import User; User.objects.update(is_staff=False)"
    with project.serve():
        url = f"{project.url}/api/reports/users/"
        assert call(url)[0] == 401
        header = authorization(project, access_token(project))
        assert call(url, header) == (200, '{"users":1}')
        project.manage("shell", "--verbosity=0", "--command", demote)
        assert call(url, header)[0] == 403


def snippets(text: str) -> list[tuple[str, str]]:
    """Return a page's Python snippets with the file named in the paragraph before."""
    found = []
    for block in re.finditer(r"^```python\n(.*?)^```$", text, re.M | re.S):
        paragraph = text[: block.start()].rstrip("\n").rpartition("\n\n")[2]
        file = re.search(r"`([\w/]+\.py)`", paragraph)
        found.append((file[1] if file else "", block[1]))
    return found


def insert(project: Development, file: str, before: str, line: str) -> None:
    """Put a line before another one in a file of the project."""
    path = project.folder / file
    text = path.read_text("utf-8")
    assert text.count(before) == 1
    path.write_text(text.replace(before, line + before), "utf-8")


@pytest.fixture(params=ANSWERS)
def app(request: pytest.FixtureRequest, tmp_path: Path) -> Development:
    """Follow docs/next-endpoint.md in a new project, except for its last check."""
    project = Development(tmp_path, **request.param)
    text = project.read("docs/next-endpoint.md")
    start, check = blocks(text, "sh")
    migrate, lint = check.splitlines()
    project.shell.run(start, project.folder)
    for file, code in snippets(text):
        if file:
            (project.folder / file).write_text(code, "utf-8")
    [app] = re.findall(r"`(\"\w+\")`", text)
    [include] = re.findall(r"`(path\(.+\))`", text)
    insert(project, "config/settings/base.py", "]\n\nMIDDLEWARE", f"    {app},\n")
    insert(project, "config/urls.py", "]\n\nhandler400", f"    {include},\n")
    project.shell.run(migrate, project.folder)
    formatted, linted, *_ = lint.split(" && ")
    project.shell.run(f"{formatted} notes/apps.py notes/migrations", project.folder)
    project.shell.run(f"{linted} && uv run ruff format --check .", project.folder)
    return project


def test_an_app_of_its_own_is_at_home_in_a_project(app: Development) -> None:
    tests = "notes or openapi or opened_on_purpose"
    app.shell.run(f"uv run pytest -q -k '{tests}'", app.folder)
    schema = "uv run manage.py spectacular --validate --fail-on-warn"
    assert "/api/notes/{id}/" in app.shell.run(schema, app.folder)


@pytest.mark.full
def test_the_checks_of_an_app_of_its_own_pass_and_count_it(app: Development) -> None:
    last = blocks(app.read("docs/next-endpoint.md"), "sh")[-1].splitlines()[-1]
    report = app.shell.run(f"{last} --cov -n 2", app.folder)
    assert re.search(r"^notes/views.py|files skipped", report, re.M)


PERMISSIONS = """
from rest_framework.permissions import IsAuthenticated
from notes.identity import user_of
from notes.permissions import IsEditorByClaim, IsEditorByGroup
from notes.views import NoteViewSet


class View(NoteViewSet):
    {permissions}


class ClaimView(NoteViewSet):
    permission_classes = [IsAuthenticated & IsEditorByClaim]


def test(rf, user, token, clock, settings):
    headers = authorization(token)
    def status(view):
        request = rf.get("/", headers=headers)
        return view.as_view({{"get": "list"}})(request).status_code
    assert status(View) == status(ClaimView) == 403
    user.groups.create(name="editors")
    assert status(View) == 200
    assert user_of(token) == user
    assert user_of("") is None


def test_claim(rf, user):
    access = RefreshToken.for_user(user).access_token
    access["role"] = "editor"
    request = rf.get("/", headers=authorization(str(access)))
    assert ClaimView.as_view({{"get": "list"}})(request).status_code == 200


def test_middleware(user_client, user, settings):
    settings.MIDDLEWARE.append("notes.middleware.user_header_middleware")
    assert user_client.get("/api/users/me/")["X-User"] == str(user.pk)
"""


def test_permissions_and_identity_are_as_the_page_says(app: Development) -> None:
    code = dict(snippets(app.read("docs/next-endpoint.md")))[""].strip()
    test = "from tests.conftest import *\n" + PERMISSIONS.format(permissions=code)
    (app.folder / "notes" / "tests.py").write_text(test, "utf-8")
    app.shell.run("uv run pytest -q notes", app.folder)


def test_tokens_for_services_and_support_are_as_the_page_says(
    project: Development, answers: dict[str, str]
) -> None:
    codes = [code for _, code in snippets(project.read("docs/clients.md"))]
    start, year, end = codes[-3:]
    found = re.search(r"^user = User.objects.get(\(.+\))$", start, re.M)
    assert found

    def shell(*lines: str) -> str:
        code = "\n".join(["from users.models import User", *lines])
        command = f"uv run manage.py shell --verbosity=0 -c '{code}'"
        return project.shell.run(command, project.folder)

    *_, access = shell(f"User.objects.create_user{found[1]}", start, year).split()
    header = authorization(project, access)
    with project.serve():
        assert call(f"{project.url}/api/users/me/", header)[0] == 200
        shell(found[0], end)
        assert call(f"{project.url}/api/users/me/", header)[0] == 401


SENTRY = """
import sentry_sdk
from sentry_sdk.transport import Transport
from tests.conftest import *
from tokens import sessions

events = []


class Stub(Transport):
    def capture_envelope(self, envelope):
        events.append(envelope.serialize().decode())


def test(client, login, user, monkeypatch):
    monkeypatch.setattr(sessions, "get", lambda *args: 1 / 0)
    sentry_sdk.get_client().transport = Stub()
    pair = login()
    refused = client.post("/api/token/refresh/", {"refresh": pair["refresh"]})
    opened = client.get("/api/users/me/", headers=authorization(pair["access"]))
    assert (refused.status_code, opened.status_code) == (500, 500)
    text = "".join(events)
    assert text.count("ZeroDivisionError") >= 2
    assert "/api/token/refresh/" in text
    for token in (pair["access"], pair["refresh"]):
        assert not str(token).rpartition(".")[2] in text
"""


@pytest.mark.full
def test_sentry_gets_no_tokens_with_the_lines_of_the_documents(
    project: Development, tmp_path: Path
) -> None:
    [(file, code)] = snippets(project.read("docs/security.md"))
    assert (project.folder / file).is_file()
    target = tmp_path / "sentry"
    install = ["uv", "pip", "install", "-q", "-p", PYTHON, "--target", str(target)]
    subprocess.run([sys.executable, "-m", *install, "sentry-sdk[django]"], check=True)
    folder = shutil.copytree(project.folder, tmp_path / "project")
    with (folder / "config" / "settings" / "test.py").open("a") as settings:
        settings.write(code)
    (folder / "tests" / "test_sentry.py").write_text(SENTRY, "utf-8")
    variables = f"PYTHONPATH={target} SENTRY_DSN=http://key@{HOST}:9/1"
    project.shell.run(f"{variables} uv run pytest -q tests/test_sentry.py", folder)


def code_for(project: Development, language: str, word: str) -> str:
    """Return the code in docs/clients.md with that word, and with the real address."""
    found = [b for b in blocks(project.read("docs/clients.md"), language) if word in b]
    return found[0].replace(f"{HOST}:8000", project.address) if found else ""


def node(folder: Path, code: str) -> list[str]:
    """Run a module in Node.js, and return the lines it prints."""
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    (folder / "main.mjs").write_text(code, "utf-8")
    command = ["node", "main.mjs"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


PAGE = """
const stored = new Map();
globalThis.localStorage = {{
  getItem: (key) => stored.get(key),
  setItem: (key, value) => stored.set(key, value),
  removeItem: (key) => stored.delete(key),
}};
const tabs = [await import("./page.mjs?1"), await import("./page.mjs?2")];
await tabs[0].login({credentials});
for (const tab of tabs) {{
  const answers = await Promise.all([tab.api("/users/me/"), tab.api("/sessions/")]);
  console.log(...answers.map((answer) => answer.status));
}}
await tabs[1].logout();
console.log(await tabs[0].api("/users/me/").catch((error) => error.message));
"""


def test_a_web_page_works_as_the_documents_say(
    project: Development, answers: dict[str, str], tmp_path: Path
) -> None:
    page = code_for(project, "js", "localStorage")
    (tmp_path / "page.mjs").write_text(page, "utf-8")
    field = project.answer("login_field")
    credentials = json.dumps({field: USER[field], "password": PASSWORD})
    with project.serve():
        printed = node(tmp_path, PAGE.format(credentials=credentials))
    assert printed == ["200 200", "200 200", "/token/refresh/: 400"]


def keys_are_public(project: Development) -> bool:
    return project.answer("algorithm")[:2] != "HS"


def test_services_verify_tokens_as_the_documents_say(
    project: Development, answers: dict[str, str]
) -> None:
    code = code_for(project, "python", "PyJWKClient")
    assert bool(code) == keys_are_public(project)
    if not code:
        return
    (project.folder / "service.py").write_text(code, "utf-8")
    with project.serve():
        check = f"import service; print(service.claims('{access_token(project)}'))"
        printed = project.shell.run(f'uv run python -c "{check}"', project.folder)
    assert "'token_type': 'access'" in printed


@pytest.mark.full
def test_services_in_node_verify_tokens_as_the_documents_say(
    project: Development, answers: dict[str, str], tmp_path: Path
) -> None:
    code = code_for(project, "js", "createRemoteJWKSet")
    if not code:
        return
    install_jose(tmp_path)
    (tmp_path / "service.mjs").write_text(code, "utf-8")
    main = """
import {{ claims }} from "./service.mjs";
console.log((await claims("{access}")).sub);
await claims("{refresh}").catch((error) => console.log(error.message));
"""
    with project.serve():
        printed = node(tmp_path, main.format(**pair(project)))
    assert printed == ["1", "not an access token"]


def test_the_lines_for_production_start_the_server(
    project: Development, answers: dict[str, str], tmp_path: Path
) -> None:
    text = project.read("docs/operations.md")
    [lines] = [block for block in blocks(text, "sh") if "uv run granian" in block]
    [key] = (project.folder / ".local").glob("jwt-signing-key-*")
    environment = {
        "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
        "DJANGO_ALLOWED_HOSTS": HOST,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "JWT_SIGNING_KEY_FILE": str(key),
        "GRANIAN_PORT": project.address.partition(":")[2],
        **(MAIL if project.answer("accounts") == "open" else {}),
    }
    log = tmp_path / "log"
    with log.open("w") as output, project.serve(lines, output, **environment):
        assert call(f"{project.url}/health/ready/")[0] == 200
    printed = log.read_text("utf-8")
    assert f"Listening at: {project.url}" in printed
    version = project.shell.run("uv run python --version", project.folder)
    if version >= "Python 3.13":  # which reads PYTHON_CPU_COUNT
        assert "WARN" not in printed
    production = project.read("config/settings/production.py")
    for name in re.findall(r'variables\.\w+\("([A-Z_]+)"', production):
        assert f"`{name}`" in text


BROWSABLE = """
from django.test import Client
from tests.conftest import *


def test(user, settings):
    client = Client(headers={"Accept": "text/html,*/*;q=0.8"})
    client.force_login(user)
    for path in ("sessions", "users/me"):
        assert b"<title>" in client.get(f"/api/{path}/").content
    assert client.get("/api/token/").json()["detail"]
    curl = Client(headers={"Accept": "*/*"})
    assert curl.get("/api/users/me/").json()["detail"]
"""


def test_choices_change_as_the_page_says(tmp_path: Path) -> None:
    project = Development(tmp_path)
    project.manage("migrate", "--verbosity=0")
    text = project.read("docs/changing.md")
    for command in blocks(text, "sh")[:-1]:
        project.shell.run(command, project.folder)
    codes = [code.strip() for code in blocks(text, "python")]
    first = next(n for n, code in enumerate(codes) if code.startswith("display_name:"))
    annotation, value, expected = codes[first : first + 3]
    renderers = next(code for code in codes if "BrowsableAPIRenderer" in code)
    claims, choices = "tokens/claims.py", "tests/test_choices.py"
    insert(project, claims, "\n\ndef claims_for", f"    {annotation}\n")
    insert(project, claims, "    }\n", f"        {value}\n")
    insert(project, choices, "}\nIN_TOKEN", f"    {expected}\n")
    (project.folder / "tests" / "test_browsable.py").write_text(BROWSABLE, "utf-8")
    with (project.folder / "config" / "settings" / "test.py").open("a") as settings:
        settings.write(f"\n{renderers}\n")
    tests = "tests/test_choices.py tests/test_browsable.py"
    project.shell.run(f"uv run pytest -q {tests}", project.folder)
    schema = project.shell.run("uv run manage.py spectacular", project.folder)
    assert schema.count("display_name:") == 2


@pytest.mark.full
def test_newer_packages_are_locked_as_the_page_says(tmp_path: Path) -> None:
    project = Development(tmp_path)
    [command] = re.findall(r"`(uv sync [^`]+)`", project.read("docs/changing.md"))
    bare_shell(f"{sys.executable} -m {command}", project.folder)
    assert (project.folder / "uv.lock").is_file()


# These have their own tests.
ELSEWHERE = {
    "uv run --env-file .env",
    "uv run sh secrets.sh .",
    "uv run manage.py createsuperuser",
    "uv run manage.py shell",
    "uv run pytest",
}


def test_the_commands_within_sentences_work(
    project: Development, answers: dict[str, str]
) -> None:
    text = "".join(path.read_text("utf-8") for path in pages(project))
    found = {" ".join(line.split()) for line in re.findall(r"`(uv run [^`]+)`", text)}
    [daily] = re.findall(r"cd /srv/api && (.+)", text)
    for command in sorted({*found, daily} - ELSEWHERE):
        project.shell.run(command, project.folder)


def test_the_links_of_the_project_lead_somewhere(project: Development) -> None:
    assert [link for page in pages(project) for link in broken_links(page)] == []


def test_every_page_of_the_project_is_short(project: Development) -> None:
    for page in pages(project):
        assert len(page.read_text("utf-8").splitlines()) <= 200, page.name
