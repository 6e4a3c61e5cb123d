"""Middleware for every request, whatever its view."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.middleware.common import CommonMiddleware

from api.errors import error_page
from api.logs import request_id


class APIMiddleware:
    """Gives every request an id, returned in ``X-Request-ID``, and every response the
    ``DEFAULT_HEADERS`` of the settings. Refuses what ``config/wsgi.py`` has refused.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id.set(uuid4().hex)
        response = self.get_response(request)
        response.headers["X-Request-ID"] = request_id.get()
        for name, value in settings.DEFAULT_HEADERS.items():
            response.headers.setdefault(name, value)
        if response.streaming:  # it continues without a turn, so it returns its connection
            close_old_connections()
        return response

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        """Respond instead of the view, so that the refusal has the headers of CORS, too."""
        status = request.META.get("api.error")
        headers = {"Retry-After": "10"} if status == 503 else {}  # seconds
        return error_page(status, headers)(request) if status else None


class SlashForReaders(CommonMiddleware):
    """Django's middleware, but it redirects only GET and HEAD to the URL with a slash.

    Clients that send data would follow the redirect without their body.
    """

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return request.method in ("GET", "HEAD") and super().should_redirect_with_slash(request)
