"""Users for the tests."""

import factory
from factory.django import DjangoModelFactory, Password

from users.models import User

PASSWORD = "a Long enough passphrase, 7"


class UserFactory(DjangoModelFactory[User]):
    """A user who can log in with ``PASSWORD``."""

    class Meta:
        model = User

    # jinja: if cookiecutter.login_field == "username"
    username = factory.Sequence(lambda n: f"person{n}")
    # jinja: endif
    email = factory.Sequence(lambda n: f"person{n}@example.com")
    password = Password(PASSWORD)
    first_name = "Ada"
    last_name = "Lovelace"
    # jinja: for claim in cookiecutter.extra_claims | new_fields
    # jinja: print "    " ~ claim.name ~ " = " ~ claim.expected ~ "\n"
    # jinja: endfor
