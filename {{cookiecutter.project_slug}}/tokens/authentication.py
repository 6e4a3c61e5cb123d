"""Who makes a request: the owner of a live session, by their access token."""

from rest_framework.request import Request
from rest_framework_simplejwt.authentication import AUTH_HEADER_TYPE_BYTES, JWTAuthentication

from tokens.tokens import AccessToken
from users.models import User

SCHEMES: dict[bytes, bytes] = {scheme.lower(): scheme for scheme in AUTH_HEADER_TYPE_BYTES}


class SessionJWTAuthentication(JWTAuthentication):
    """SimpleJWT's, for tokens whose session lives; one statement a request."""

    def get_header(self, request: Request) -> bytes:
        """The header, its scheme as we spell it: case does not matter (RFC 9110 11.1)."""
        scheme, _, rest = (super().get_header(request) or b"").partition(b" ")
        return SCHEMES.get(scheme.lower(), scheme) + b" " + rest

    def get_user(self, validated_token: AccessToken) -> User:
        return validated_token.session.user
