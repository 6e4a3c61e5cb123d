from typing import cast
from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt import views

from api.schema import EMPTY
from tokens import serializers, sessions
from tokens.keys import key_ring
from tokens.models import LoginSession, LoginSessionQuerySet
from tokens.schema import JWKS
from users.models import User


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class TokenView(views.TokenViewBase):
    """A token endpoint, outside any transaction: a refusal must not undo a revocation."""


@extend_schema_view(post=extend_schema(operation_id="login"))
class TokenObtainPairView(TokenView, views.TokenObtainPairView):
    """Log in. Exchanges a password for an access and a refresh token."""


@extend_schema_view(post=extend_schema(operation_id="refresh"))
class TokenRefreshView(TokenView, views.TokenRefreshView):
    """Refresh. Exchanges the current refresh token for the next pair."""


@extend_schema_view(post=extend_schema(operation_id="verify", responses={200: EMPTY}))
class TokenVerifyView(TokenView, views.TokenVerifyView):
    """Verify a token. Returns 200 if the token is accepted, and changes nothing."""


@extend_schema_view(post=extend_schema(operation_id="logout", responses={200: EMPTY}))
class TokenBlacklistView(TokenView, views.TokenBlacklistView):
    """Log out. Ends the session of the refresh token."""


@extend_schema_view(get=extend_schema(operation_id="list_sessions"))
class SessionListView(ListAPIView[LoginSession]):
    """List your sessions. There is one for each device you are logged in on."""

    serializer_class = serializers.LoginSessionSerializer
    pagination_class = None

    def get_queryset(self) -> LoginSessionQuerySet:
        return sessions.live_for(cast(User, self.request.user))

    @extend_schema(operation_id="end_all_sessions")
    def delete(self, request: Request) -> Response:
        """Log out everywhere, on this device too."""
        self.get_queryset().revoke()
        return Response(status=204)


class SessionView(APIView):
    """One of your sessions."""

    @extend_schema(operation_id="end_session", responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Log out one device."""
        if not sessions.live_for(cast(User, request.user)).filter(pk=pk).revoke():
            raise Http404
        return Response(status=204)


class JWKSView(APIView):
    """Get the public keys that verify the tokens of this API (RFC 7517)."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(operation_id="get_jwks", tags=["token"], responses={200: JWKS, 404: None})
    def get(self, request: Request) -> Response:
        keys = key_ring().jwks()
        if not keys:
            raise Http404
        return Response({"keys": keys}, headers={"Cache-Control": "public, max-age=300"})
