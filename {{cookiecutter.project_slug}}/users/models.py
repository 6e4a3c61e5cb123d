"""Users, and the failures that throttling counts."""

# jinja: for module in cookiecutter.extra_claims | claim_imports
# jinja: print "import " ~ module ~ "\n"
# jinja: endfor
from typing import Any

from django.contrib.auth import models as auth
from django.contrib.auth.hashers import check_password, make_password
from django.db import models, router, transaction
from django.dispatch import Signal

#: Sent when a login has replaced the hash of a password with a newer kind of hash of the
#: same password. Arguments: ``user``, ``old_hash`` (str).
password_hash_upgraded = Signal()


# jinja: if cookiecutter.login_field == "email" or cookiecutter.accounts == "open"
class LowercaseEmailField(models.EmailField):  # type: ignore[type-arg]
    """An e-mail address, stored and looked up in lower case, so that case is no difference."""

    # jinja: if cookiecutter.login_field == "username"
    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        """Validate, and refuse a taken address to ``createsuperuser``, which has no instance."""
        super().validate(value, model_instance)
        if model_instance is None:
            self.model(email=value).validate_constraints()

    # jinja: endif
    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value.lower() if isinstance(value, str) else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.get_prep_value(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value


# jinja: endif
# jinja: if cookiecutter.login_field == "email"
class UserManager(auth.BaseUserManager["User"]):
    """A manager for users who log in with their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        fields = {"is_staff": True, "is_superuser": True} | fields
        return self.create_user(email, password, **fields)


# jinja: endif
class User(auth.AbstractUser):
    """Someone who can log in."""

    # jinja: if cookiecutter.login_field == "email"
    username = None  # type: ignore[assignment]
    email = LowercaseEmailField("email address", unique=True)
    # jinja: elif cookiecutter.accounts == "open"
    # jinja: print '    email = LowercaseEmailField("email address", blank=True)\n'
    # jinja: endif
    # jinja: for claim in cookiecutter.extra_claims | new_fields
    # jinja: print "    " ~ claim.name ~ " = " ~ claim.model_field ~ "\n"
    # jinja: endfor
    # jinja: if cookiecutter.extra_claims | new_fields
    # jinja: print "\n"
    # The fields of this project's own claims, for the admin and GET /api/users/me/.
    CLAIM_FIELDS = [
        # jinja: for claim in cookiecutter.extra_claims | new_fields
        {{claim.name | python}},
        # jinja: endfor
    ]

    # jinja: endif
    # jinja: if cookiecutter.login_field == "email"
    objects = UserManager()  # type: ignore[assignment,misc]

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    # jinja: elif cookiecutter.accounts == "open"
    # jinja: print "\n" if not cookiecutter.extra_claims | new_fields
    class Meta(auth.AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                condition=~models.Q(email=""),
                name="users_user_email",
                violation_error_message="An account with this e-mail address already exists.",
            )
        ]

    # jinja: endif
    def check_password(self, raw_password: str | None) -> bool:
        """Check the password as Django does, and signal when this upgrades its hash.

        An upgrade never undoes a change of password: if the stored hash has changed
        in the meantime, the password is compared with the new hash.
        """
        old_hash = self.password

        def upgrade(raw_password: str) -> None:
            new_hash = make_password(raw_password)
            stored = User.objects.filter(pk=self.pk)
            with transaction.atomic():
                if stored.filter(password=old_hash).update(password=new_hash):
                    self.password = new_hash
                    password_hash_upgraded.send(User, user=self, old_hash=old_hash)
                else:
                    self.password = stored.values_list("password", flat=True).first() or ""

        if not check_password(raw_password, old_hash, upgrade):
            return False
        return self.password == old_hash or check_password(raw_password, self.password)


class PrimaryManager(models.Manager[Any]):
    """A manager that reads from the database it writes to, and never from a replica."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().using(router.db_for_write(self.model))


class Failure(models.Model):
    """A failed attempt, under one of the keys that ``users.throttling`` counts."""

    key = models.CharField(max_length=96)
    attempt = models.CharField(max_length=32, db_index=True)
    time = models.DateTimeField(db_index=True)

    objects = PrimaryManager()

    class Meta:
        indexes = [models.Index(fields=["key", "time"], name="users_failure_recent")]

    def __str__(self) -> str:
        return f"{self.key} at {self.time}"
