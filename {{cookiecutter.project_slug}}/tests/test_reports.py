"""Error reports, by mail or of services such as Sentry, show no secret."""

import sys
from typing import Any

import pytest
from django.core.signals import got_request_exception
from django.views.debug import ExceptionReporter
from rest_framework.test import APIClient

from tests.conftest import Login, authorization, credentials
from tests.factories import PASSWORD
from tokens import sessions
from users.models import User


@pytest.mark.parametrize("door", ["login", "refresh", "request"])
def test_an_error_report_has_no_token_password_or_address(
    door: str, client: APIClient, login: Login, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = login()
    reports = []

    def report(request: Any, **kwargs: Any) -> None:
        reporter = ExceptionReporter(request, *sys.exc_info())
        reports.extend([reporter.get_traceback_html(), reporter.get_traceback_text()])

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError(user.email)

    monkeypatch.setattr(sessions, "start", fail)
    monkeypatch.setattr(sessions, "get", fail)
    got_request_exception.connect(report)
    try:
        if door == "login":
            client.post("/api/token/", credentials(user))
        elif door == "refresh":
            client.post("/api/token/refresh/", {"refresh": pair["refresh"]})
        else:
            client.get("/api/users/me/", headers=authorization(pair["access"]))
    finally:
        got_request_exception.disconnect(report)
    html, text = reports
    assert "rest_framework" in html
    for secret in (PASSWORD, pair["access"], pair["refresh"]):
        assert secret not in html + text
        assert secret.rpartition(".")[2] not in html + text
