from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tokens.models import LoginSession


@admin.register(LoginSession)
class LoginSessionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Sessions can be seen, revoked and deleted. Only the API creates them."""

    list_display = ["user", "created", "rotated", "expires", "revoked", "address"]
    list_select_related = ["user"]
    list_filter = [("revoked", admin.EmptyFieldListFilter), "expires"]
    search_fields = ["=user__{{ cookiecutter.login_field }}", "=address"]
    show_full_result_count = False
    actions = ["revoke"]

    @admin.action(description="Revoke the selected sessions", permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        self.message_user(request, f"Sessions revoked: {queryset.revoke()}.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
