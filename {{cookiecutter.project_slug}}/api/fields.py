"""Serializer fields for text that must arrive as it was sent."""

from typing import Any

from rest_framework import serializers


class StringField(serializers.CharField):
    """REST framework's field, but it refuses numbers."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class VerbatimField(StringField):
    """A string exactly as it was sent: it may be blank, and nothing is trimmed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_blank": True, "trim_whitespace": False, **kwargs})
        self.validators = []
