"""What the API returns about an account, and what users can change."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from rest_framework import serializers

from api.fields import StringField
from users.models import User


class UserSerializer(serializers.ModelSerializer[User]):
    # jinja: if cookiecutter.login_field == "username"
    email = serializers.CharField(read_only=True)  # may be blank, so not always an address
    # jinja: endif
    first_name = StringField(max_length=150, allow_blank=True)
    last_name = StringField(max_length=150, allow_blank=True)

    class Meta:
        model = User
        # jinja: if cookiecutter.login_field == "username"
        fields = ["id", "username", "email", "first_name", "last_name"]
        # jinja: else
        # jinja: print '        fields = ["id", "email", "first_name", "last_name"]\n'
        # jinja: endif
        # jinja: if cookiecutter.extra_claims | new_fields
        fields += User.CLAIM_FIELDS
        # jinja: endif
        read_only_fields = [name for name in fields if name not in ("first_name", "last_name")]

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        """Save only the fields that were sent, so that no other change is undone."""
        for name, value in validated_data.items():
            setattr(instance, name, value)
        User.objects.filter(pk=instance.pk).update(**validated_data)
        return instance


class CurrentPasswordSerializer(serializers.Serializer[User]):
    current_password = StringField(write_only=True, trim_whitespace=False)


# jinja: if cookiecutter.accounts == "open"
class AddressField(StringField, serializers.EmailField):
    """An e-mail address, normalised here so that its spelling makes no difference later.

    The result is in lower case, its domain in the form that DNS compares (RFC 3490). A
    local part must be ASCII, since the lower case of other letters could be somebody
    else's address, and must not be quoted, since it can also be written without quotes.
    """

    def to_internal_value(self, data: Any) -> str:
        local, _, domain = super().to_internal_value(data).rpartition("@")
        if not local.isascii() or '"' in local or len(domain) > 254:
            self.fail("invalid")
        try:
            domain = domain.encode("idna").decode("idna")
        except UnicodeError:
            self.fail("invalid")
        return f"{local}@{domain}".lower()


class LinkSerializer(serializers.Serializer[User]):
    email = AddressField(write_only=True, max_length=254)


class TokenSerializer(serializers.Serializer[User]):
    token = StringField(write_only=True)


class ResetSerializer(TokenSerializer):
    password = StringField(write_only=True, trim_whitespace=False)


class SignUpSerializer(ResetSerializer):
    # jinja: if cookiecutter.login_field == "username"
    username = StringField(write_only=True, max_length=150)
    # jinja: endif
    first_name = StringField(write_only=True, max_length=150, allow_blank=True, required=False)
    last_name = StringField(write_only=True, max_length=150, allow_blank=True, required=False)


class EmailChangeSerializer(LinkSerializer, CurrentPasswordSerializer):
    """The new address, and the current password, which only the user knows."""


# The body of a DELETE for OpenAPI, since drf-spectacular does not describe it.
PASSWORD = {"current_password": {"type": "string", "writeOnly": True}}
SCHEMA = {"type": "object", "properties": PASSWORD, "required": ["current_password"]}
BODY = {"content": {"application/json": {"schema": SCHEMA}}, "required": True}


# jinja: endif
class PasswordChangeSerializer(CurrentPasswordSerializer):
    new_password = StringField(write_only=True, trim_whitespace=False)

    def validate_new_password(self, value: str) -> str:
        validate_password(value, self.context["request"].user)
        return value
