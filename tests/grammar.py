"""Random good answers from the whole grammar, with their meaning.

The meaning is drawn first and then written as an answer, so that nothing is
compared with the template's own parser.
"""

from __future__ import annotations

from keyword import iskeyword
from typing import Any

from conftest import SETTINGS
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import jwt_answers

UNITS = {"weeks": 604800, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
SPELLINGS = {
    "weeks": ["w", " weeks", "week"],
    "days": ["d", " days", " day"],
    "hours": ["h", " hours", "H", "hour"],
    "minutes": ["m", " minutes", " min"],
    "seconds": ["s", " seconds", " sec"],
}


@st.composite
def durations(draw: st.DrawFn, least: int, most: int) -> tuple[str, int]:
    """Return a duration and its seconds."""
    total = rest = draw(st.integers(least, most) | st.just(least) | st.just(most))
    parts = {}
    units = draw(st.lists(st.sampled_from(list(UNITS)), unique=True))
    for unit in sorted({*units, "seconds"}, key=list(UNITS).index):
        parts[unit], rest = divmod(rest, UNITS[unit])
    kept = [unit for unit in parts if parts[unit] or draw(st.integers(0, 9)) == 0]
    if draw(st.booleans()):
        date = "".join(f"{parts[u]}{u[0].upper()}" for u in kept if UNITS[u] > 3600)
        time = "".join(f"{parts[u]}{u[0].upper()}" for u in kept if UNITS[u] <= 3600)
        return f"P{date}{'T' * bool(time)}{time}", total
    gap = draw(st.sampled_from(["", " "]))
    words = [f"{parts[unit]}{draw(st.sampled_from(SPELLINGS[unit]))}" for unit in kept]
    return gap.join(words), total


LETTERS = st.characters(exclude_categories=["C", "Z"], include_characters=" ")
TEXTS = st.text(LETTERS, min_size=1, max_size=80) | st.text(
    "aé가", min_size=70, max_size=80
)
NO_MARKS = (
    TEXTS.map(str.strip)
    .filter(bool)
    .filter(lambda text: not any(m in text for m in ("{{", "{%", "{#")))
)
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,15}(_[a-z0-9]{1,9}){0,2}", fullmatch=True)
NAMES |= st.from_regex(r"[a-z][a-z0-9]{25,35}", fullmatch=True)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "str": NO_MARKS.map(lambda text: text.replace(",", ".")),
    "int": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "uuid": st.uuids(),
    "date": st.dates(),
}
FIELDS: dict[str, tuple[str, dict[str, object]]] = {
    "str": ("models.CharField", {"max_length": 255, "blank": True}),
    "int": ("models.BigIntegerField", {"null": True, "blank": True}),
    "bool": ("models.BooleanField", {"default": False}),
    "uuid": ("models.UUIDField", {"null": True, "blank": True}),
    "date": ("models.DateField", {"null": True, "blank": True}),
}
SAME = (
    "username email first_name last_name is_staff is_superuser date_joined last_login"
)
SOURCES = {name: f"user.{name}" for name in SAME.split()} | {
    "id": "user.pk",
    "full_name": "user.get_full_name()",
    "groups": "sorted(user.groups.values_list('name', flat=True))",
    "permissions": "sorted(user.get_all_permissions())",
}


@st.composite
def claims(draw: st.DrawFn, login: str) -> tuple[str, dict[str, Any]]:
    """Return claims, and by name their expression, with the field for new ones."""
    items: list[str] = []
    meaning: dict[str, Any] = {}
    for name in draw(st.lists(NAMES, max_size=6, unique=True)):
        kind = draw(st.sampled_from(["known", "renamed", "new"]))
        known = draw(st.sampled_from([s for s in SOURCES if s != "username"]))
        if kind == "known" and known not in meaning:
            items.append(known)
            meaning[known] = (SOURCES[known], None)
        if name in meaning or iskeyword(name) or kind == "known":
            continue
        if name in jwt_answers.IN_TOKEN + jwt_answers.IN_RESPONSE + ["password"]:
            continue
        if kind == "renamed":
            items.append(f"{name}={known}")
            meaning[name] = (SOURCES[known], None)
        elif not jwt_answers.MEMBERS.fullmatch(name) and name not in SOURCES:
            type_ = draw(st.sampled_from(list(FIELDS)))
            field, arguments = FIELDS[type_]
            items.append(f"{name}:{type_}")
            if draw(st.booleans()):
                default = draw(VALUES[type_])
                items[-1] += f"={str(default).lower() if type_ == 'bool' else default}"
                kept = arguments if type_ == "str" else {}
                arguments = {**kept, "default": default}
            meaning[name] = (f"user.{name}", (field, arguments))
    if login == "username" and draw(st.booleans()) and "username" not in meaning:
        items.append("username")
        meaning["username"] = (SOURCES["username"], None)
    text = draw(st.sampled_from([",", ", ", " , "])).join(items)
    return (text or draw(st.sampled_from(["", "none"]))), meaning


CHOICES = ["algorithm", "claims_in", "refresh_token_in", "accounts"]
TOKENS = st.text("!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz", min_size=1, max_size=10)


@st.composite
def good_answers(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, Any]]:
    """Return a set of answers from the whole grammar, and its meaning."""
    day = 86400
    access, access_s = draw(durations(1, 30 * day))
    refresh, refresh_s = draw(durations(access_s + 1, 365 * day))
    session, session_s = draw(durations(refresh_s, 3650 * day))
    login = draw(st.sampled_from(SETTINGS["login_field"]))
    text, meaning = draw(claims(login))
    types = draw(st.lists(TOKENS, min_size=1, max_size=4, unique_by=str.lower))
    answers = {
        "project_name": draw(NO_MARKS),
        "project_slug": "p"
        + draw(st.from_regex("([a-z0-9_-]{0,30}[a-z0-9])?", fullmatch=True)),
        "login_field": login,
        "access_token_lifetime": access,
        "refresh_token_lifetime": refresh,
        "session_lifetime": session,
        "auth_header_type": draw(st.sampled_from([",", ", "])).join(types),
        "extra_claims": text,
        **{key: draw(st.sampled_from(SETTINGS[key])) for key in CHOICES},
    }
    seconds = {"access": access_s, "refresh": refresh_s, "session": session_s}
    return answers, {"seconds": seconds, "types": types, "claims": meaning}


def sample(number: int) -> list[dict[str, str]]:
    """Return so many sets of good answers, the same at every call."""
    found: list[dict[str, str]] = []

    @settings(
        max_examples=number,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(good_answers())
    def collect(drawn: tuple[dict[str, str], dict[str, Any]]) -> None:
        found.append(drawn[0])

    collect()
    return found
