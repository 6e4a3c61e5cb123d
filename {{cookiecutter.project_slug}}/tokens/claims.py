"""The extra claims: what tokens and login responses say about a user."""

# jinja: for module in cookiecutter.extra_claims | annotation_imports
# jinja: print "import " ~ module ~ "\n"
# jinja: endfor
from typing import TypedDict

from users.models import User


class Claims(TypedDict):
    """The extra claims and their types, from which the API docs are made."""

    # jinja: for claim in cookiecutter.extra_claims | claims
    # jinja: print "    " ~ claim.name ~ ": " ~ claim.annotation ~ "\n"
    # jinja: endfor
    # jinja: print "\n\n" if cookiecutter.extra_claims | claims else "\n"


def claims_for(user: User) -> Claims:
    """Return the extra claims of ``user``, as they are in the database now.

    They are computed again at every login and every refresh. Dates and UUIDs become
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
