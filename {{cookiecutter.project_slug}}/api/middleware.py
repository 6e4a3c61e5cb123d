"""Middleware for every request, whatever its view."""

from collections.abc import Callable
from uuid import uuid4

from django.conf import settings
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.middleware.common import CommonMiddleware

from api.errors import error_page
from api.logs import request_id

GetResponse = Callable[[HttpRequest], HttpResponse]


def request_id_middleware(get_response: GetResponse) -> GetResponse:
    """Give every request an id, returned in ``X-Request-ID``, and every response the
    ``DEFAULT_HEADERS`` of the settings."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request_id.set(uuid4().hex)
        response = get_response(request)
        response.headers["X-Request-ID"] = request_id.get()
        for name, value in settings.DEFAULT_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return middleware


class SlashForReaders(CommonMiddleware):
    """Django's middleware, but it redirects only GET and HEAD to the URL with a slash.

    Clients that send data would follow the redirect without their body.
    """

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return request.method in ("GET", "HEAD") and super().should_redirect_with_slash(request)


def waiting_room_middleware(get_response: GetResponse) -> GetResponse:
    """Respond to the requests that ``config/wsgi.py`` has refused.

    A stream continues without a turn, so it returns its database connection.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if status := request.META.get("api.error"):
            response = error_page(status)(request)
            if status == 503:
                response.headers["Retry-After"] = "10"  # seconds
            return response
        response = get_response(request)
        if response.streaming:
            close_old_connections()
        return response

    return middleware
