"""Error reports, by mail or of services such as Sentry, show no secret."""

import sys
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.signals import got_request_exception
from django.views.debug import ExceptionReporter
from rest_framework.test import APIClient

from tests.conftest import Login, credentials
from tests.factories import PASSWORD
from tokens import sessions
from users.models import User


def test_an_error_report_has_no_token_password_or_address(
    user_client: APIClient, token: str, login: Login, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[str] = []

    def report(request: Any, **kwargs: Any) -> None:
        reporter = ExceptionReporter(request, *sys.exc_info())
        reports.extend([reporter.get_traceback_html(), reporter.get_traceback_text()])

    refresh_token = login()["refresh"]
    got_request_exception.connect(report)
    for name in ("start", "get"):
        monkeypatch.setattr(sessions, name, Mock(side_effect=RuntimeError(user.email)))
    user_client.post("/api/token/", credentials(user))
    user_client.post("/api/token/refresh/", {"refresh": refresh_token})
    user_client.get("/api/users/me/")
    got_request_exception.disconnect(report)
    assert len(reports) == 6
    for text in reports:
        assert "rest_framework" in text
        for secret in (PASSWORD, token, refresh_token):
            assert secret not in text
            assert secret.rpartition(".")[2] not in text
