"""What the token endpoints take and return: SimpleJWT's serializers, with sessions."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import DataError, IntegrityError
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt import serializers as simplejwt
from rest_framework_simplejwt.exceptions import TokenError

from api.addresses import client_address
from api.fields import VerbatimField
from tokens import sessions
from tokens.models import LoginSession
from tokens.tokens import AccessToken, RefreshToken
from users.models import User
from users.throttling import password_guess


class CustomTokenObtainPairSerializer(simplejwt.TokenObtainSerializer):
    """Login: takes a password, starts a session, and returns a pair of tokens.

    The extra claims come from ``tokens/claims.py``. ``config/jwt.py`` says whether they
    go into the access token, into this response, or both.
    """

    token_class = RefreshToken
    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[self.username_field] = VerbatimField(write_only=True)
        self.fields["password"] = VerbatimField(write_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        request = self.context["request"]
        with password_guess(attrs[self.username_field], request):
            try:
                super().validate(attrs)  # checks the password
            except (ValueError, DataError):  # text that no database can hold, such as NUL
                raise self._refusal() from None
        self.user.last_login = timezone.now()
        User.objects.filter(pk=self.user.pk).update(last_login=self.user.last_login)
        try:
            refresh = self.token_class.for_user(
                self.user,
                address=client_address(request),
                user_agent=request.headers.get("User-Agent", ""),
            )
        except IntegrityError:  # the user has just been deleted
            raise self._refusal() from None
        pair = {"access": str(refresh.access_token), "refresh": str(refresh)}
        return {**refresh.claims, **pair} if settings.EXTRA_CLAIMS_IN_RESPONSE else pair

    def _refusal(self) -> AuthenticationFailed:
        code = "no_active_account"
        return AuthenticationFailed(self.error_messages[code], code)


class SessionTokenRefreshSerializer(simplejwt.TokenRefreshSerializer):
    """Refresh: takes the current refresh token, and returns the next pair."""

    token_class = RefreshToken
    refresh = VerbatimField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        token = self.token_class(attrs["refresh"])
        address = client_address(self.context["request"])
        session = sessions.rotate(token.sid, token["sub"], token["seq"], address)
        successor = self.token_class.for_session(session, token["seq"] + 1)
        return {"access": str(successor.access_token), "refresh": str(successor)}


class SessionTokenVerifySerializer(simplejwt.TokenVerifySerializer):
    """Verify: takes an access or refresh token, and returns nothing if it is accepted."""

    token = VerbatimField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            AccessToken(attrs["token"])
        except TokenError:
            refresh = RefreshToken(attrs["token"])
            session = sessions.get(refresh.sid, refresh["sub"])
            if not sessions.accepts(session, refresh["seq"]):
                raise sessions.SessionEnded("The token has been used") from None
        return {}


class SessionTokenBlacklistSerializer(simplejwt.TokenBlacklistSerializer):
    """Logout: takes any refresh token of a session, of any age, and ends the session."""

    token_class = RefreshToken
    refresh = VerbatimField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        with suppress(TokenError):  # garbage does no harm (RFC 7009 section 2.2)
            token = self.token_class.of_any_age(attrs["refresh"])
            LoginSession.objects.filter(pk=token.sid).revoke()
        return {}


class LoginSessionSerializer(serializers.ModelSerializer[LoginSession]):
    """A session as its owner sees it."""

    last_used = serializers.DateTimeField(source="rotated", read_only=True)
    current = serializers.SerializerMethodField()

    class Meta:
        model = LoginSession
        fields = ["id", "created", "last_used", "user_agent", "address", "current"]
        read_only_fields = fields

    def get_current(self, session: LoginSession) -> bool:
        """Whether the request came with a token of this session."""
        return bool(session.pk == getattr(self.context["request"].auth, "sid", None))
