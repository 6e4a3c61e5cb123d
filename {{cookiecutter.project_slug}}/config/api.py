"""The conventions of this API: JSON in and JSON out, errors included."""

import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.common import CommonMiddleware
from redis import RedisError
from rest_framework import exceptions, serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.response import Response

AWAY = (OperationalError, InterfaceError, RedisError)  # a service that requests need


class PayloadTooLarge(exceptions.APIException):
    status_code = 413
    default_detail = "The request body is too large."
    default_code = "too_large"


class SlashForReaders(CommonMiddleware):
    """Django's, which adds the slash that an address lacks, but to reads only.

    Clients that send something would follow the redirect without their body.
    """

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return request.method in ("GET", "HEAD") and super().should_redirect_with_slash(request)


class JSONObjectParser(JSONParser):
    """REST framework's, for objects only, and with 400 for nesting that is too deep."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:  # as UTF-8 (RFC 8259 section 8.1): some other decoders take minutes
            data = super().parse(stream, media_type, {"encoding": "utf-8"})
        except (exceptions.ParseError, RecursionError) as error:
            raise exceptions.ParseError("The body is not valid JSON.") from error
        if not isinstance(data, dict):
            raise exceptions.ParseError("The body is not a JSON object.")
        return data


class AlwaysJSON(DefaultContentNegotiation):
    """Answers in a view's first format, whatever the client says it accepts."""

    def select_renderer(
        self, request: Any, renderers: Any, format_suffix: Any = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type


class StringField(serializers.CharField):
    """REST framework's, which takes strings and no numbers."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class TextField(StringField):
    """A string exactly as it was sent: blank or not, and nothing trimmed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_blank": True, "trim_whitespace": False, **kwargs})
        self.validators = []


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """REST framework's, always in JSON, and with 413 for a body that is too large."""
    from rest_framework import views  # it imports this module in turn

    if isinstance(exc, RequestDataTooBig):
        exc = PayloadTooLarge()
    request = context["request"]
    request.accepted_renderer = JSONRenderer()
    request.accepted_media_type = JSONRenderer.media_type
    return views.exception_handler(exc, context)


def error_page(status: HTTPStatus) -> Callable[..., HttpResponse]:
    """A view for an error that no other view has answered."""

    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return JsonResponse({"detail": f"{status.phrase}."}, status=status)

    return page


error_400 = error_page(HTTPStatus.BAD_REQUEST)
error_403 = error_page(HTTPStatus.FORBIDDEN)
error_404 = error_page(HTTPStatus.NOT_FOUND)


def error_500(request: HttpRequest) -> HttpResponse:
    """500, or 503 while the database or the counter's store is away."""
    away = isinstance(sys.exc_info()[1], AWAY)
    status = HTTPStatus.SERVICE_UNAVAILABLE if away else HTTPStatus.INTERNAL_SERVER_ERROR
    return error_page(status)(request)
