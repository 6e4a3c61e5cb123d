"""Log lines in production, and the id that ties those of one request together."""

import logging
import re
from contextvars import ContextVar

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

request_id: ContextVar[str] = ContextVar("request_id", default="")

# A JSON Web Token, or an e-mail address: neither belongs into a log, wherever it
# comes from (an exception's message can quote a database row).
PERSONAL = re.compile(
    r"(?<![\w-])(?=[\w-]*eyJ)[\w-]++\.[\w-]++\.[\w-]*"
    r"|(?<![^\s\"'<>(=,:@])[^\s\"'<>(=,:@]++@[^\s\"'<>),;]+"
)


class RedactingJsonFormatter(JsonFormatter):
    """One JSON object a line, without tokens and e-mail addresses."""

    def __init__(self) -> None:
        fields = "{levelname}{name}{message}{request_id}"
        # The request's address can hold anything; the message has its path.
        skipped = [*RESERVED_ATTRS, "request"]
        super().__init__(fields, style="{", timestamp=True, reserved_attrs=skipped)

    def format(self, record: logging.LogRecord) -> str:
        record.request_id = request_id.get()
        return PERSONAL.sub("[redacted]", super().format(record))
