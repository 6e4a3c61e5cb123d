"""Who makes a request: the user whose session the access token belongs to."""

from rest_framework.request import Request
from rest_framework_simplejwt.authentication import AUTH_HEADER_TYPE_BYTES, JWTAuthentication

from tokens.tokens import AccessToken
from users.models import User

SCHEMES: dict[bytes, bytes] = {scheme.lower(): scheme for scheme in AUTH_HEADER_TYPE_BYTES}


class SessionJWTAuthentication(JWTAuthentication):
    """SimpleJWT's authentication, for live sessions only; one statement per request."""

    def get_header(self, request: Request) -> bytes:
        """Return the header, with the scheme in our spelling: case does not matter
        (RFC 9110 section 11.1)."""
        scheme, _, rest = (super().get_header(request) or b"").partition(b" ")
        return SCHEMES.get(scheme.lower(), scheme) + b" " + rest

    def get_user(self, validated_token: AccessToken) -> User:
        return validated_token.session.user
