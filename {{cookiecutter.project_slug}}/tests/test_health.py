"""Health: ``/health/live/`` and ``/health/ready/``."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from tests.conftest import Login, each, refresh


@pytest.fixture
def pair(login: Login) -> Iterator[dict[str, Any]]:
    """A pair of tokens from before the database went away."""
    pair = login()
    with patch.object(connection, "cursor", side_effect=OperationalError):
        yield pair


@each("path", "live", "ready")
def test_a_process_that_can_work_is_live_and_ready(client: APIClient, path: str) -> None:
    assert client.get(f"/health/{path}/").status_code == 200


def test_without_its_database_all_but_live_is_503(client: APIClient, pair: dict[str, Any]) -> None:
    assert client.get("/health/live/").status_code == 200
    login = client.post("/api/token/", {"username": "a", "email": "a", "password": "b"})
    for answer in (client.get("/health/ready/"), login, refresh(pair["refresh"])):
        assert answer.status_code == 503
        assert answer.json().keys() == {"detail"}
