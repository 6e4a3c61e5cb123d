"""How many SQL statements a request takes, and how many rows a login leaves.

Not counted: transaction control, throttling, and the time of the last login.
"""

from rest_framework.test import APIClient

from tests.conftest import Login, authorization, opens, refresh, statements
from tokens import sessions
from tokens.claims import claims_for
from tokens.models import LoginSession
from users.models import User


def for_claims(user: User) -> int:
    """The statements that the extra claims take: one for each list."""
    with statements() as counted:
        claims = claims_for(user)
    assert len(counted) <= sum(isinstance(value, list) for value in claims.values())
    return len(counted)


def test_a_login_takes_2_statements(login: Login, user: User) -> None:
    with statements() as counted:
        login()
    assert len(counted) == 2 + for_claims(user), counted


def test_a_refresh_takes_2_statements(client: APIClient, login: Login, user: User) -> None:
    pair = login()
    with statements() as counted:
        refresh(pair["refresh"])
    assert len(counted) == 2 + for_claims(user), counted


def test_a_request_takes_1_statement_for_session_and_user(client: APIClient, login: Login) -> None:
    pair = login()
    with statements() as counted:
        assert opens(pair["access"])
    assert len(counted) == 1, counted


def test_a_logout_takes_1_statement(client: APIClient, login: Login) -> None:
    pair = login()
    with statements() as counted:
        client.post("/api/token/blacklist/", {"refresh": pair["refresh"]})
    assert len(counted) == 1, counted


def test_a_verification_takes_1_statement(client: APIClient, login: Login) -> None:
    pair = login()
    for kind in ("access", "refresh"):
        with statements() as counted:
            client.post("/api/token/verify/", {"token": pair[kind]})
        assert len(counted) == 1, counted


def test_the_list_of_sessions_takes_2_statements_however_long_it_is(
    client: APIClient, login: Login
) -> None:
    for _ in range(4):
        pair = login()
    with statements() as counted:
        client.get("/api/sessions/", headers=authorization(pair["access"]))
    assert len(counted) == 2, counted


def test_a_login_and_1000_refreshes_leave_1_row(user: User) -> None:
    session = sessions.start(user)
    for seq in range(1000):
        sessions.rotate(session.pk, str(user.pk), seq)
    assert LoginSession.objects.get().seq == 1000
