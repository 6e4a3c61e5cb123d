"""Who makes a request: the owner of a live session, by their access token."""

from rest_framework.request import Request
from rest_framework_simplejwt.authentication import AUTH_HEADER_TYPES, JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken

from tokens import sessions
from tokens.tokens import AccessToken
from users.models import User

SCHEMES: dict[str, bytes] = {scheme.lower(): scheme.encode() for scheme in AUTH_HEADER_TYPES}


class SessionJWTAuthentication(JWTAuthentication):
    """SimpleJWT's, for tokens whose session lives; one statement a request."""

    def get_header(self, request: Request) -> bytes | None:
        """The header, its scheme as we spell it: case does not matter (RFC 9110 11.1)."""
        header: bytes | None = super().get_header(request)
        if not header:
            return None
        scheme, _, rest = header.partition(b" ")
        return SCHEMES.get(scheme.decode("latin-1").lower(), scheme) + b" " + rest

    def get_user(self, validated_token: AccessToken) -> User:
        try:
            session = sessions.get(validated_token.sid, validated_token["sub"])
        except sessions.SessionEnded as error:
            raise InvalidToken from error
        return session.user
