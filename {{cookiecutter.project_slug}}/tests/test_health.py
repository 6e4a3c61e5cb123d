"""Health: ``/health/live/`` and ``/health/ready/``."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from tests.conftest import Login
from users.models import User


@pytest.fixture
def no_database(user: User, login: Login) -> Iterator[dict[str, Any]]:
    """A pair of tokens from before the database went away."""
    pair = login()
    with patch.object(connection, "cursor", side_effect=OperationalError):
        yield pair


@pytest.mark.parametrize("path", ["live", "ready"])
def test_a_process_that_can_work_is_live_and_ready(client: APIClient, db: None, path: str) -> None:
    assert client.get(f"/health/{path}/").status_code == 200


@pytest.mark.usefixtures("no_database")
def test_without_its_database_a_process_is_live_and_not_ready(
    client: APIClient,
) -> None:
    assert client.get("/health/live/").status_code == 200
    assert client.get("/health/ready/").status_code == 503


def test_without_the_database_requests_are_answered_with_503(
    client: APIClient, no_database: dict[str, Any]
) -> None:
    for path in ("/api/token/", "/api/token/refresh/"):
        body = {"username": "a", "email": "a", "password": "b", **no_database}
        response = client.post(path, body)
        assert response.status_code == 503
        assert response.json().keys() == {"detail"}
