"""What the API says about an account, and what it lets its owner change."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from rest_framework import serializers

from api.fields import StringField
from users.models import User


class UserSerializer(serializers.ModelSerializer[User]):
    # jinja: if cookiecutter.login_field == "username"
    email = serializers.CharField(read_only=True)  # can be empty, which is no address
    # jinja: endif
    first_name = StringField(max_length=150, allow_blank=True)
    last_name = StringField(max_length=150, allow_blank=True)

    class Meta:
        model = User
        fields = [
            "id",
            # jinja: if cookiecutter.login_field == "username"
            "username",
            # jinja: endif
            "email",
            "first_name",
            "last_name",
            # jinja: for claim in cookiecutter.extra_claims | new_fields
            {{claim.name | python}},
            # jinja: endfor
        ]
        read_only_fields = [name for name in fields if name not in ("first_name", "last_name")]

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        """Saves the fields that were sent, so that no other change is undone."""
        for name, value in validated_data.items():
            setattr(instance, name, value)
        User.objects.filter(pk=instance.pk).update(**validated_data)
        return instance


class PasswordChangeSerializer(serializers.Serializer[User]):
    current_password = StringField(write_only=True, trim_whitespace=False)
    new_password = StringField(write_only=True, trim_whitespace=False)

    def validate_new_password(self, value: str) -> str:
        validate_password(value, self.context["request"].user)
        return value
