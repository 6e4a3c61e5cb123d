"""Production logs, the id that ties the lines of a request together, and error reports."""

import re
from contextvars import ContextVar
from datetime import date
from typing import Any

from django.views.debug import SafeExceptionReporterFilter
from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="")

# A JSON Web Token or an e-mail address. Neither belongs in a log, wherever it comes
# from: an exception's message can quote a database row.
PERSONAL = re.compile(
    r"(?<![\w-])(?=[\w-]*eyJ)[\w-]++\.[\w-]++\.[\w-]*"
    r"|(?<![^\s\"'<>(=,:@])[^\s\"'<>(=,:@]++@[^\s\"'<>),;]+"
)


class RedactingJsonFormatter(JsonFormatter):
    """A formatter for lines of JSON, without tokens and e-mail addresses."""

    def __init__(self) -> None:
        # The request's URL can hold anything; the message has its path.
        skipped = [*RESERVED_ATTRS, "request"]
        fields = "{levelname}{name}{message}"
        super().__init__(fields, style="{", timestamp=True, reserved_attrs=skipped)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {**redacted(log_data), "request_id": request_id.get()}


def redacted(value: Any) -> Any:
    """Return ``value`` as JSON data, with everything ``PERSONAL`` removed from its texts."""
    if isinstance(value, dict):
        return {redacted(str(key)): redacted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = value.isoformat() if isinstance(value, date) else str(value)
    return PERSONAL.sub("[redacted]", text)


class RedactingReporterFilter(SafeExceptionReporterFilter):
    """Django's filter for error reports. It also hides tokens, and all local variables, since
    any of them can hold one."""

    names = f"{SafeExceptionReporterFilter.hidden_settings.pattern}|REFRESH|ACCESS"
    hidden_settings = re.compile(names, re.IGNORECASE)

    def get_traceback_frame_variables(self, request: Any, frame: Any) -> Any:
        if self.is_active(request):
            return ()
        return super().get_traceback_frame_variables(request, frame)
