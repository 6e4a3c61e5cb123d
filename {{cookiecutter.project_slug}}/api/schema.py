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
    "400": "The request is not valid, or a field is missing or wrong.",
    "401": "What proves who you are is missing, wrong, used or over.",
    "404": "There is none.",
    "413": "The body is too large.",
    "415": "The body is not in one of the formats above.",
    "429": "Too many failures. Wait for the seconds in `Retry-After`.",
    "default": "405 for another method; 503 while the database is away.",
}


def describe_errors(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Gives every operation a summary, and the errors that follow from what it is.

    What a view says about an answer's body itself stays. A hook of drf-spectacular's
    ``POSTPROCESSING_HOOKS``.
    """
    result["components"].setdefault("schemas", {})["ErrorResponse"] = ERROR
    schema = {"$ref": "#/components/schemas/ErrorResponse"}
    for operations in result["paths"].values():
        for operation in operations.values():
            text = operation.get("description", "")  # there is none without a docstring
            operation.setdefault("summary", re.split("[.:]", text)[0])
            answers = operation["responses"]
            errors = {status for status in answers if status in ERRORS} | {"400", "default"}
            # jinja: if cookiecutter.accounts == "open"
            if "x-requestBody" in operation:  # of a DELETE, where drf-spectacular takes none
                operation["requestBody"] = operation.pop("x-requestBody")
            # jinja: endif
            if "requestBody" in operation:
                errors |= {"413", "415"}
            if operation.setdefault("security", []):
                errors.add("401")
            for status in errors:
                if "content" not in answers.setdefault(status, {}):
                    content = {"application/json": {"schema": schema}}
                    answers[status] = {"description": ERRORS[status], "content": content}
            operation["responses"] = dict(sorted(answers.items()))
    return result
