"""How the OpenAPI document describes answers that many views share."""

import re
from typing import Any

REFUSED = {401: None, 429: None}
EMPTY = {"type": "object", "maxProperties": 0}
ERROR = {
    "type": "object",
    "description": "`detail` says what was wrong, or each wrong field its own.",
    "properties": {"detail": {"type": "string"}, "code": {"type": "string"}},
    "additionalProperties": True,
    "example": {"detail": "What was wrong."},
}
ERRORS = {
    "400": "The body is not JSON, or a field is missing or wrong.",
    "401": "What proves who you are is missing, wrong, used or over.",
    "404": "There is none.",
    "413": "The body is too large.",
    "415": "The body is not `application/json`.",
    "429": "Too many failures. Wait for the seconds in `Retry-After`.",
    "default": "405 for another method; 503 while the database is away.",
}


def describe_errors(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Gives every operation a summary, and its errors with the one body they all have.

    Views declare only those that do not follow from the operation itself, such as
    429. A hook of drf-spectacular's ``POSTPROCESSING_HOOKS``.
    """
    result["components"]["schemas"]["Error"] = ERROR
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for operations in result["paths"].values():
        for operation in operations.values():
            text = operation.get("description", "")  # there is none without a docstring
            operation.setdefault("summary", re.split("[.:]", text)[0])
            answers = operation["responses"]
            errors = {status for status in answers if status in ERRORS} | {"default"}
            if "requestBody" in operation:
                errors |= {"400", "413", "415"}
            if "security" in operation:
                errors.add("401")
            for status in errors:
                answers[status] = {"description": ERRORS[status], "content": content}
            operation["responses"] = dict(sorted(answers.items()))
    return result
