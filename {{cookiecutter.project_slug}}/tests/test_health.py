"""Health: ``/health/live/`` and ``/health/ready/``."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient


@pytest.fixture
def no_database(db: None) -> Iterator[None]:
    with patch.object(connection, "cursor", side_effect=OperationalError):
        yield


@pytest.mark.parametrize("path", ["live", "ready"])
def test_a_process_that_can_work_is_live_and_ready(client: APIClient, db: None, path: str) -> None:
    assert client.get(f"/health/{path}/").status_code == 200


@pytest.mark.usefixtures("no_database")
def test_without_its_database_a_process_is_live_and_not_ready(
    client: APIClient,
) -> None:
    assert client.get("/health/live/").status_code == 200
    assert client.get("/health/ready/").status_code == 503


def test_without_its_redis_a_process_is_not_ready(
    client: APIClient, db: None, settings: Settings
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert client.get("/health/ready/").status_code == 503


def test_without_its_redis_the_admin_is_away_as_well(db: None, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    browser = Client(raise_request_exception=False)
    response = browser.post("/admin/login/", {"username": "a", "password": "b"})
    assert response.status_code == 503
    assert response.json().keys() == {"detail"}


@pytest.mark.usefixtures("no_database")
def test_without_the_database_requests_are_answered_with_503(
    client: APIClient,
) -> None:
    for path in ("/api/token/", "/api/token/refresh/"):
        body = {"username": "a", "email": "a", "password": "b", "refresh": "c"}
        response = client.post(path, body)
        assert response.status_code == 503
        assert response.json().keys() == {"detail"}
