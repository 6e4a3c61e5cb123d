"""How the OpenAPI document describes the login, the keys and the authentication."""

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from drf_spectacular.utils import OpenApiExample
from rest_framework_simplejwt.settings import api_settings

LOGIN = {
    # jinja: if cookiecutter.login_field == "username"
    "username": "ada",
    # jinja: else
    "email": "ada@example.com",
    # jinja: endif
    "password": "correct horse battery",
}
LOGIN_ANSWER = {
    # jinja: for claim in cookiecutter.extra_claims | claims if "response" in cookiecutter.claims_in
    {{claim.name | python}}: {{claim.expected}},
    # jinja: endfor
    "access": "eyJhbGciOi...",
    "refresh": "eyJhbGciOi...",
}
LOGIN_EXAMPLES = [
    OpenApiExample("Ada", LOGIN, request_only=True),
    OpenApiExample("Tokens for Ada", LOGIN_ANSWER, response_only=True),
]
KEYS = {"type": "array", "items": {"type": "object"}}
JWKS = {"type": "object", "properties": {"keys": KEYS}}


class SessionJWTScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call]
    """What Swagger UI's *Authorize* asks for."""

    target_class = "tokens.authentication.SessionJWTAuthentication"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        scheme = api_settings.AUTH_HEADER_TYPES[0]
        if scheme.lower() == "bearer":
            return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        text = f"Type `{scheme}`, a space, and the access token."
        header = {"type": "apiKey", "in": "header", "name": "Authorization"}
        return header | {"description": text}
