"""What this API reads and returns: JSON, whatever the client accepts."""

from typing import Any

from rest_framework import exceptions
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser


class StrictJSONParser(JSONParser):
    """REST framework's parser, for UTF-8 only, with 400 for nesting that is too deep."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:  # as UTF-8 (RFC 8259 section 8.1): some other decoders take minutes
            return super().parse(stream, media_type, {"encoding": "utf-8"})
        except (exceptions.ParseError, RecursionError) as error:
            raise exceptions.ParseError("The body is not valid JSON.") from error


class IgnoreAccept(DefaultContentNegotiation):
    """Content negotiation that uses a view's first format, whatever the client accepts."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type
