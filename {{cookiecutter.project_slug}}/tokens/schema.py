"""How the OpenAPI document describes tokens, their claims, and the keys."""

from typing import Any, Literal, TypedDict
from uuid import UUID

from django.conf import settings
from drf_spectacular import plumbing
from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework_simplejwt.settings import api_settings

from tokens.claims import Claims

# jinja: if cookiecutter.login_field == "username"
LOGIN = {"username": "ada", "password": "correct horse battery"}
# jinja: else
LOGIN = {"email": "ada@example.com", "password": "correct horse battery"}
# jinja: endif
PAYLOAD = {"$ref": "#/components/schemas/AccessTokenPayload"}
ACCESS_TOKEN = {"contentMediaType": "application/jwt", "contentSchema": PAYLOAD}
KEYS = {"type": "array", "items": {"type": "object"}}
JWKS = {"type": "object", "properties": {"keys": KEYS}, "required": ["keys"]}


class AccessTokenPayload(TypedDict):
    """The claims of every access token, besides the extra claims."""

    token_type: Literal["access"]
    iss: str
    aud: str
    sub: str
    exp: int
    iat: int
    jti: str
    sid: UUID


def with_claims(schema: dict[str, Any], wanted: bool) -> dict[str, Any]:
    """Return the schema of an object, with the extra claims if they are ``wanted``."""
    claims = object_schema(Claims) if wanted else {}
    return schema | {
        "properties": claims.get("properties", {}) | schema["properties"],
        "required": [*claims.get("required", []), *schema["required"]],
    }


def object_schema(kind: type) -> dict[str, Any]:
    """Return the schema of a ``TypedDict``."""
    schema: dict[str, Any] = plumbing.resolve_type_hint(kind)
    properties = schema.get("properties", {})  # missing if there are no claims
    return schema | {"properties": {n: plumbing.append_meta(properties[n], {}) for n in properties}}


class LoginExtension(OpenApiSerializerExtension):
    """The login response, with the extra claims if the settings say so."""

    target_class = "tokens.serializers.CustomTokenObtainPairSerializer"

    def map_serializer(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        if direction == "request":
            return {**schema, "examples": [LOGIN]}
        return with_claims(schema, settings.EXTRA_CLAIMS_IN_RESPONSE)


def describe_access_token(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Describe the payload of an access token, for clients that decode it.

    This is a hook for drf-spectacular's ``POSTPROCESSING_HOOKS``.
    """
    schemas = result["components"]["schemas"]
    for name in schemas.keys() & {"CustomTokenObtainPair", "SessionTokenRefresh"}:
        schemas[name]["properties"]["access"].update(ACCESS_TOKEN)
    payload = with_claims(object_schema(AccessTokenPayload), settings.EXTRA_CLAIMS_IN_TOKEN)
    schemas["AccessTokenPayload"] = payload
    return result


class SessionJWTScheme(SimpleJWTScheme):
    """What *Authorize* in Swagger UI asks for."""

    target_class = "tokens.authentication.SessionJWTAuthentication"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        header, scheme = api_settings.AUTH_HEADER_NAME, api_settings.AUTH_HEADER_TYPES[0]
        prefix = "Bearer" if scheme.lower() == "bearer" else scheme
        return plumbing.build_bearer_security_scheme_object(header, prefix, "JWT")
