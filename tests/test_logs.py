"""What a production server logs, and what it never logs."""

from __future__ import annotations

import json
import re
from http.client import HTTPConnection
from pathlib import Path

from cluster import Machine
from servers import HOST, PASSWORD, Project

EMAIL = "ada@example.com"
TEXT = re.compile(r"\[(INFO|WARNING)\] ")
FAILING_VIEW = """
import warnings


def fail(request):
    warnings.warn(f'of {EMAIL}" and others')
    raise RuntimeError(f"{EMAIL} {request.headers['Authorization']}")


urlpatterns = [
    path("fail/", fail),
""".replace("{EMAIL}", EMAIL)
ADD_USER = f"""
from users.models import User
User.objects.create_user({EMAIL!r}, password={PASSWORD!r})
"""


def test_logs_are_json_with_request_ids_and_without_anything_personal(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    project = Project(tmp_path, url, login_field="email")
    project.edit("config/urls.py", r"urlpatterns = \[", FAILING_VIEW)
    project.environment["LOG_LEVEL"] = "DEBUG"
    project.manage("migrate", "--verbosity=0")
    project.manage("shell", "-c", ADD_USER)
    machine = Machine(project, tmp_path / "log")
    machine.start()
    try:
        login = machine.post("/api/token/", email=EMAIL, password=PASSWORD)
        pair = login.body
        machine.post("/api/token/", email=EMAIL, password=f"not {PASSWORD}")
        machine.refresh(pair["refresh"])
        again = machine.refresh(pair["refresh"]).body
        machine.refresh(again["refresh"])
        machine.refresh(pair["refresh"])  # looks like a theft
        machine.get(f"/{EMAIL}/{pair['access']}?password={PASSWORD}&{pair['refresh']}")
        machine.get(f"/api/users/me/?token={pair['access']}&password={PASSWORD}")
        failing = HTTPConnection(HOST, machine.port)
        failing.request("GET", "/fail/", headers={"Authorization": pair["access"]})
        answer = failing.getresponse()
        request_id = answer.headers["X-Request-ID"]
        failing.close()
    finally:
        machine.stop()
    log = machine.log.read_text("utf-8")
    # The main process, which does not load Django, writes text.
    lines = [json.loads(line) for line in log.splitlines() if not TEXT.match(line)]
    assert (login.status, answer.status) == (200, 500)
    for personal in (EMAIL, PASSWORD, *pair.values(), again["access"], "eyJ"):
        assert personal not in log
    assert all(
        {"levelname", "timestamp", "message", "request_id"} <= set(line)
        for line in lines
    )
    errors = [line for line in lines if line["request_id"] == request_id]
    assert any("RuntimeError" in line.get("exc_info", "") for line in errors)
    assert {"tokens.sessions", "_granian.serve", "py.warnings"} <= {
        line["name"] for line in lines
    }
