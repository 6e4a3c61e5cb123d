"""Requests as Django makes them, for clients that send what it cannot read."""

from typing import Any

from django.core.exceptions import BadRequest
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest


class UnreadableContentType(HttpRequest):
    """A ``Content-Type`` whose parameters cannot be decoded counts as none.

    Django raises while it makes the request, outside of its error handling, and the
    answer would be a bare 500. This way each view answers, most of them with 415.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]
        except (BadRequest, LookupError, ValueError):
            meta["CONTENT_TYPE"] = self.content_type = ""
            self.content_params = {}
            self._encoding = None


class TolerantWSGIRequest(UnreadableContentType, WSGIRequest):
    pass


class TolerantASGIRequest(UnreadableContentType, ASGIRequest):
    pass
