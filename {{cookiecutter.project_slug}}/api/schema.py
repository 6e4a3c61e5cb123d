"""How the OpenAPI document describes responses that many views share."""

import re
from typing import Any

EMPTY = {"type": "object", "maxProperties": 0}
ERROR = {
    "type": "object",
    "description": "`detail` says what is wrong, or each field lists its own messages.",
    "properties": {"detail": {"type": "string"}, "code": {"type": "string"}},
    "additionalProperties": True,
    "example": {"detail": "What is wrong."},
}
ERRORS = {
    "400": "The request is not valid. For example, a field is missing or wrong.",
    "401": "The token or the credentials are missing, wrong, used or expired.",
    "404": "Not found.",
    "413": "The body is too large.",
    "415": "The format of the body is not supported.",
    "429": "Too many attempts. Wait for the number of seconds in `Retry-After`.",
    "default": "405 for another method, 503 if the database cannot be reached.",
}


def describe_errors(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Give every operation a summary, and the errors that its kind can return.

    What a view says about a response itself is kept. This is a hook for drf-spectacular's
    ``POSTPROCESSING_HOOKS``.
    """
    schemas = result["components"].setdefault("schemas", {})
    name = "ApiErrorResponse" if "ErrorResponse" in schemas else "ErrorResponse"
    schemas[name] = ERROR
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    for path, operations in result["paths"].items():
        for operation in operations.values():
            text = operation.get("description", "")  # empty without a docstring
            operation.setdefault("summary", re.split("[.:]", text)[0])
            answers = operation["responses"]
            errors = {status for status in answers if status in ERRORS} | {"400", "default"}
            # jinja: if cookiecutter.accounts == "open"
            if "x-requestBody" in operation:  # of a DELETE, where drf-spectacular takes none
                operation["requestBody"] = operation.pop("x-requestBody")
            # jinja: endif
            if "requestBody" in operation:
                errors |= {"413", "415", "429"}
            if operation.setdefault("security", []) or "/token/" in path:
                errors.add("401")
            if "{" in path:
                errors.add("404")
            for status in sorted(errors):
                # Of responses={404: None}, drf-spectacular says only this.
                own = {k: v for k, v in answers.get(status, {}).items() if v != "No response body"}
                answers[status] = {"description": ERRORS[status], "content": content} | own
    return result
