# jinja: print "from typing import Any\n\n" if cookiecutter.accounts == "open"
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin

# jinja: print "from users import accounts, mails\n" if cookiecutter.accounts == "open"
from users.models import User


# jinja: if cookiecutter.accounts == "open"
@admin.action(description="Send a link to set a password", permissions=["change"])
def send_reset_link(model_admin: Any, request: Any, queryset: Any) -> None:
    """Send links, also to users who have no password yet, but not to disabled ones."""
    people = queryset.filter(is_active=True).exclude(email="")
    try:
        for user in people:
            mails.deliver("reset", user.email, **accounts.reset_link(user))
    except mails.MailAway as error:
        model_admin.message_user(request, str(error), "error")
    else:
        model_admin.message_user(request, f"Links sent: {len(people)} of {len(queryset)}.")


# jinja: endif
@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    # jinja: if cookiecutter.accounts == "closed" and cookiecutter.login_field == "username" and not cookiecutter.extra_claims | new_fields
    # jinja: print '    """Django\'s user admin, for the users of this project."""\n'
    # jinja: else
    """Django's user admin, with the fields of this project."""

    # jinja: if cookiecutter.login_field == "email"
    ordering = ["email"]
    list_display = ["email", "first_name", "last_name", "is_staff"]
    search_fields = ["email", "first_name", "last_name"]
    add_fieldsets = [(None, {"fields": ["email", "usable_password", "password1", "password2"]})]
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        ("Personal info", {"fields": ["first_name", "last_name"]}),
        # jinja: if cookiecutter.extra_claims | new_fields
        ("Claims", {"fields": [*User.CLAIM_FIELDS]}),
        # jinja: endif
        *(DjangoUserAdmin.fieldsets or ())[2:],
    ]
    # jinja: elif cookiecutter.extra_claims | new_fields
    # jinja: print '    fieldsets = [*(DjangoUserAdmin.fieldsets or ()), ("Claims", {"fields": [*User.CLAIM_FIELDS]})]\n'
    # jinja: endif
    # jinja: if cookiecutter.accounts == "open"
    actions = [send_reset_link]

    def construct_change_message(self, request: Any, form: Any, *args: Any, **kwargs: Any) -> Any:
        """Also tell users, at their old address, that it or the password was changed."""
        email = form.initial.get("email", getattr(form, "user", User()).email)
        for name in {"email", "password"} & {*form.changed_data}:
            mails.notify(email, name.replace("email", "e-mail address"))
        return super().construct_change_message(request, form, *args, **kwargs)
        # jinja: endif
        # jinja: endif
