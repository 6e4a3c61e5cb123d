from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin

from users.models import User


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
