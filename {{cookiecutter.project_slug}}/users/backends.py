"""Checking a password, for the API and the admin alike."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db import DatabaseError, DataError
from django.http import HttpRequest

from users.models import User
from users.throttling import Attempt, client_address, login_limits


class ThrottledBackend(ModelBackend):
    """Django's own, behind the limits of ``users.throttling``.

    Raises ``rest_framework.exceptions.Throttled`` for one guess too many, whether or
    not it is right.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        account = username or kwargs.get(User.USERNAME_FIELD)
        if request is None or not account:  # not a guess that came over HTTP
            return super().authenticate(request, username, password, **kwargs)
        attempt = Attempt(login_limits(account, client_address(request)))
        try:
            user = super().authenticate(request, username, password, **kwargs)
        except (ValueError, DataError):  # text that no database holds, such as NUL
            user = None
        except DatabaseError:  # it is away: nothing was judged, and nothing is counted
            attempt.withdraw()
            raise
        if user is not None:
            attempt.succeeded()
        return user
