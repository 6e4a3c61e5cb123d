from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.password_validation import password_changed
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.exceptions import Throttled, ValidationError
from rest_framework.generics import GenericAPIView, RetrieveUpdateAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from api.addresses import client_address
from users.models import User
from users.serializers import PasswordChangeSerializer, UserSerializer
from users.throttling import Attempt, login_limits, password_guess


def owner(request: Request, current_password: str) -> User:
    """Return the caller, who must know the current password. Raises ``APIException``."""
    user = cast(User, request.user)  # as IsAuthenticated makes sure
    with password_guess(user.get_username(), request):
        if not user.check_password(current_password):
            raise ValidationError({"current_password": ["This is not your password."]})
    return user


@extend_schema_view(
    get=extend_schema(operation_id="get_me"), patch=extend_schema(operation_id="update_me")
)
class MeView(RetrieveUpdateAPIView[User]):
    """Read or change your account."""

    serializer_class = UserSerializer
    http_method_names = ["get", "patch", "head", "options"]

    def get_object(self) -> User:
        return cast(User, self.request.user)  # as IsAuthenticated makes sure


class PasswordView(GenericAPIView[User]):
    """Change your password, and log out everywhere, on this device too."""

    serializer_class = PasswordChangeSerializer

    @extend_schema(operation_id="change_password", responses={204: None})
    def post(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = owner(request, serializer.validated_data["current_password"])
        stored = User.objects.filter(pk=user.pk, password=user.password)
        user.set_password(serializer.validated_data["new_password"])
        if not stored.update(password=user.password):  # it was changed at the same time
            raise ValidationError({"current_password": ["This is not your password."]})
        password_changed(serializer.validated_data["new_password"], user)
        return Response(status=204)


@transaction.non_atomic_requests
def throttled_admin_login(request: HttpRequest) -> HttpResponse:
    """Show the admin's login page, with the limits of the API's login.

    The right password is never a failure, whether or not the user is staff.
    """
    account = request.POST.get("username", "")
    if request.method != "POST" or not account:
        return admin.site.login(request)
    try:
        attempt = Attempt.begin(login_limits(account, client_address(request)))
    except Throttled as throttled:
        headers = {"Retry-After": str(throttled.wait)}  # type: ignore[attr-defined]
        return JsonResponse({"detail": throttled.detail}, status=429, headers=headers)
    response: Any = admin.site.login(request)
    if response.status_code == 302 or response.context_data["form"].get_user():
        attempt.succeeded()
    return response  # type: ignore[no-any-return]
