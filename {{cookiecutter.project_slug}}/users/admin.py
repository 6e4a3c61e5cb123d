from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin

from users.models import User
from users.throttling import password_guess


class ThrottledLoginForm(AdminAuthenticationForm):
    """The admin's, behind the same limits as the API's login.

    A password that is right is no failure, be its owner staff or not.
    """

    def clean(self) -> dict[str, Any]:
        if self.errors:  # a field is missing: Django asks no backend
            return super().clean()
        with password_guess(self.cleaned_data["username"], self.request) as self.attempt:
            return super().clean()

    def confirm_login_allowed(self, user: Any) -> None:
        self.attempt.succeeded()
        super().confirm_login_allowed(user)


admin.site.login_form = ThrottledLoginForm


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    """Django's, with the fields of this project's own."""

    # jinja: if cookiecutter.login_field == "email"
    ordering = ["email"]
    list_display = ["email", "first_name", "last_name", "is_staff"]
    search_fields = ["email", "first_name", "last_name"]
    add_fieldsets = [(None, {"fields": ["email", "usable_password", "password1", "password2"]})]
    # jinja: endif
    fieldsets = [
        (None, {"fields": [{{cookiecutter.login_field | python}}, "password"]}),
        # jinja: if cookiecutter.login_field == "username"
        ("Personal info", {"fields": ["first_name", "last_name", "email"]}),
        # jinja: else
        ("Personal info", {"fields": ["first_name", "last_name"]}),
        # jinja: endif
        # jinja: if cookiecutter.extra_claims | new_fields
        (
            "Claims",
            {
                "fields": [
                    # jinja: for claim in cookiecutter.extra_claims | new_fields
                    {{claim.name | python}},
                    # jinja: endfor
                ]
            },
        ),
        # jinja: endif
        *(DjangoUserAdmin.fieldsets or ())[2:],
    ]
