"""Accounts, and the failed attempts to get into them."""

# jinja: for module in cookiecutter.extra_claims | claim_imports
# jinja: print "import " ~ module ~ "\n"
# jinja: endfor
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import (
    AbstractUser,
    # jinja: if cookiecutter.login_field == "email"
    BaseUserManager,
    # jinja: endif
)
from django.db import models, router, transaction
from django.dispatch import Signal

#: Sent when a login has replaced a password's hash by a newer kind of hash of the
#: same password. Arguments: ``user``, ``old_hash`` (text).
password_hash_upgraded = Signal()


# jinja: if cookiecutter.login_field == "email" or cookiecutter.accounts == "open"
class LowercaseEmailField(models.EmailField):  # type: ignore[type-arg]
    """An address kept and looked up in lower case: unique in whatever spelling."""

    # jinja: if cookiecutter.login_field == "username"
    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        """As Django's; names a taken address to ``createsuperuser``, which has no instance."""
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
class UserManager(BaseUserManager["User"]):
    """Makes users who log in with their e-mail address."""

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
class User(AbstractUser):
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
    # jinja: if cookiecutter.login_field == "email"
    objects = UserManager()  # type: ignore[assignment,misc]

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    # jinja: elif cookiecutter.accounts == "open"
    # jinja: print "\n"
    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                condition=~models.Q(email=""),
                name="users_user_email",
                violation_error_message="There is an account with this e-mail address.",
            )
        ]

    # jinja: elif cookiecutter.extra_claims | new_fields
    # jinja: print "\n"
    # jinja: endif
    def check_password(self, raw_password: str | None) -> bool:
        """As Django's, but an upgrade of the hash is told from a change of password.

        Nor does it undo one: where the stored hash has changed meanwhile, the
        password is compared with what is there now.
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
    """Reads where the database router writes: a replica never answers for these rows."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().using(router.db_for_write(self.model))


class Failure(models.Model):
    """One failed attempt under one of the keys that ``users.throttling`` counts."""

    key = models.CharField(max_length=96)
    attempt = models.CharField(max_length=32, db_index=True)
    time = models.DateTimeField(db_index=True)

    objects = PrimaryManager()

    class Meta:
        indexes = [models.Index(fields=["key", "time"], name="users_failure_recent")]

    def __str__(self) -> str:
        return f"{self.key} at {self.time}"
