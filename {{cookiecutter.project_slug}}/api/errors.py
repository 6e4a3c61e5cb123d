"""Errors of this API, always in JSON."""

import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions, views
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response


class PayloadTooLarge(exceptions.APIException):
    status_code = 413
    default_detail = "The request body is too large."
    default_code = "too_large"


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Respond as REST framework does, always in JSON, with 413 for a body that is too large."""
    if isinstance(exc, RequestDataTooBig):
        exc = PayloadTooLarge()
    request = context["request"]
    request.accepted_renderer = JSONRenderer()
    request.accepted_media_type = JSONRenderer.media_type
    return views.exception_handler(exc, context)


def error_page(status: int, headers: dict[str, str] | None = None) -> Callable[..., HttpResponse]:
    """Return a view for an error that no other view has answered."""

    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        detail = f"{HTTPStatus(status).phrase}."
        return JsonResponse({"detail": detail}, status=status, headers=headers)

    return page


error_400 = error_page(400)
error_403 = error_page(403)
error_404 = error_page(404)


def error_500(request: HttpRequest) -> HttpResponse:
    """Return 500, or 503 if the database cannot be reached."""
    unavailable = isinstance(sys.exc_info()[1], (OperationalError, InterfaceError))
    return error_page(503 if unavailable else 500)(request)
