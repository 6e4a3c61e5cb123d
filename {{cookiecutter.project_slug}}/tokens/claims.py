"""The extra claims: what tokens and login answers say about a user."""

from typing import Any

from users.models import User


def claims_for(user: User) -> dict[str, Any]:
    """The extra claims of ``user``, read from the database at this moment.

    They are computed anew at every login and every refresh. Dates and UUIDs become
    text. A claim never replaces one that the token itself uses.
    """
    # jinja: if cookiecutter.extra_claims | claims
    return {
        # jinja: for claim in cookiecutter.extra_claims | claims
        {{claim.name | python}}: {{claim.expression}},
        # jinja: endfor
    }
    # jinja: else
    return {}
    # jinja: endif
