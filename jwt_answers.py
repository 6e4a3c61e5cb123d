"""What the answers mean: how they are read, checked and written into a project.

Every answer has one reader here, which returns its value or raises :class:`Refused`.
Checks and filters share the readers, so a project says exactly what was accepted.
``jwt_prompts`` brings both into cookiecutter.
"""

from __future__ import annotations

import difflib
import json
import keyword
import re
import shlex
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

HERE = Path(__file__).parent
SETTINGS: dict[str, Any] = json.loads((HERE / "cookiecutter.json").read_text("utf-8"))
KEYS = [key for key in SETTINGS if not key.startswith("_")]
Answers = Mapping[str, Any]
WIDTH = 100  # of the rendered project's lines
dumps = partial(json.dumps, ensure_ascii=False)


class Refused(ValueError):
    """An answer, or the item of it that is named, cannot be used.

    The text says why, without the answer, for example ``is not a duration``.
    """

    def __init__(self, reason: str, item: str | None = None) -> None:
        """Keep the item."""
        super().__init__(reason)
        self.item = item


def require(condition: object, reason: str, item: str | None = None) -> None:
    """Refuse the answer or its item for that reason unless the condition holds."""
    if not condition:
        raise Refused(reason, item)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean email?)`` for ``emial``, or nothing."""
    close = difflib.get_close_matches(word[:60], known, 1)
    return f" (did you mean {close[0]}?)" if close else ""


def printable(text: str, _: object = None, longest: int = 80) -> str:
    """Read text. Good: ``O'Neil "Bob" 내 API 🚀``. Bad: nothing, a tab, U+202E."""
    require(text, "is empty")
    require(len(text) <= longest, f"has {len(text)} characters")
    for character in text:  # the two joiners occur in emoji and Persian words
        good = character.isprintable() or character in "\u200c\u200d"
        require(good, f"contains the unprintable U+{ord(character):04X}")
    return text


# Packages of the rendered project: one of the same name could not install them.
PACKAGES = """
argon2-cffi argon2-cffi-bindings asgiref ast-serialize attrs cffi cfgv click colorama
coverage cryptography distlib dj-database-url django django-cors-headers django-stubs
django-stubs-ext djangorestframework djangorestframework-simplejwt
djangorestframework-stubs drf-spectacular drf-spectacular-sidecar execnet factory-boy
faker filelock granian identify inflection iniconfig jsonschema
jsonschema-specifications librt mypy mypy-extensions nodeenv packaging pathspec
platformdirs pluggy pre-commit psycopg psycopg-binary psycopg-pool pycparser pygments
pyjwt pytest pytest-cov pytest-django pytest-randomly pytest-xdist python-discovery
python-json-logger pyyaml referencing rpds-py ruff sqlparse time-machine
types-jsonschema types-pyyaml typing-extensions tzdata uritemplate virtualenv whitenoise
""".split()
DEVICES = "aux|con|nul|prn|(com|lpt)[1-9]"  # Windows has no folders of these names


def project_slug(text: str, _: object = None) -> str:
    """Read the name of folder and distribution. Good: ``my_api``. Bad: ``../evil``."""
    for character in printable(text, longest=64):
        require(re.match("[a-z0-9_-]", character), f"contains {character!r}")
    require(text[0].isalpha(), "does not start with a letter")
    require(text[-1].isalnum(), "ends with - or _")
    same = re.sub("[-_]+", "-", text)  # for package indexes (PEP 503)
    require(same not in PACKAGES, "is a package the project needs")
    require(not re.fullmatch(DEVICES, text), "cannot name a folder on Windows")
    return text


def slug(name: str) -> str:
    """Suggest a slug: ``My API`` gives ``my_api``, ``2048`` ``api_2048``."""
    from slugify import slugify  # cookiecutter's own; needed here only

    words = slugify(str(name)[:200], separator="_")
    words = words if words[:1].isalpha() else f"api_{words}" if words else "my_api"
    words = words[:60].rstrip("_")
    return f"{words}_api" if refused("project_slug", {"project_slug": words}) else words


# --- Durations

SECONDS = {"weeks": 604800, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
LONGEST = 3650 * SECONDS["days"]
UNITS = {name: unit for unit in SECONDS for name in (unit, unit[:-1], unit[0])}
UNITS |= {"min": "minutes", "mins": "minutes", "sec": "seconds", "secs": "seconds"}
ISO = re.compile(r"P(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+S)?)?", re.A | re.I)
PART = re.compile(r"(\d+) *([a-z]+) *", re.A | re.I)


def parse_duration(text: str, longest: int = LONGEST) -> dict[str, int]:
    """Read a duration, in the units in which it is written: ``{"minutes": 5}``.

    Good: ``5 minutes``, ``90 s``, ``1h30m``, ``1 day``, ``2w``, ``PT15M``, ``P1DT12H``.
    Bad: ``5`` (of what?), ``1.5h``, ``-5m``, ``0s``, ``1h 1h``, ``1 month``, ``11y``.
    """
    require(text, "is empty")
    require(not re.fullmatch("[0-9]+", text), "has no unit")
    text = text.upper().strip("P").replace("T", "") if ISO.fullmatch(text) else text
    fits = re.fullmatch(f"({PART.pattern})*", text, PART.flags)
    require(fits, "is not a duration")
    found: dict[str, int] = {}
    for number, name in PART.findall(text):
        unit = UNITS.get(name.lower(), "")
        require(unit, f"has the unknown unit {name:.20}")
        require(unit not in found, f"has {unit} twice")
        found[unit] = int(number) if len(number) < 13 else LONGEST + 1
    length = sum(count * SECONDS[unit] for unit, count in found.items())
    require(length, "is not longer than zero")
    limit = "longer than" if longest == LONGEST else "not shorter than"
    require(length <= longest, f"is {limit} 3650 days")
    if len(str(found)) > 60:  # too long for its line, unless carried over
        for unit in SECONDS:
            found[unit], length = divmod(length, SECONDS[unit])
        found["days"] += 7 * found.pop("weeks")
    return {unit: found[unit] for unit in SECONDS if found.get(unit)}


def timedelta(text: str) -> str:
    """Write a duration in Python: ``timedelta(hours=1, minutes=30)``."""
    found = parse_duration(text).items()
    return f"timedelta({', '.join(f'{unit}={count}' for unit, count in found)})"


def duration(text: str) -> str:
    """Write a duration in words: ``1 hour 30 minutes``."""
    found = parse_duration(text).items()
    return " ".join(f"{n} {unit if n > 1 else unit[:-1]}" for unit, n in found)


def seconds(text: Any) -> int:
    """Return a duration in seconds, or 0 for anything else."""
    try:
        return sum(n * SECONDS[unit] for unit, n in parse_duration(text).items())
    except (Refused, TypeError):
        return 0


def check_lifetime(text: str, answers: Answers, least: str = "", more: int = 0) -> None:
    """Check a duration: at least the answer ``least`` plus ``more`` seconds."""
    # So that there is always a longer one for refresh tokens, and for sessions.
    parse_duration(text, LONGEST if least else LONGEST - 1)
    other = answers.get(least)
    fits = seconds(text) >= seconds(other) + more
    how = "not longer" if more else "shorter"
    require(fits, f"is {how} than the {least.partition('_')[0]} token's {other}")


def header_types(text: str, _: object = None) -> list[str]:
    """Read the words that may precede a token (RFC 9110 section 5.6.2).

    Good: ``Bearer``, ``Bearer, Token``. Bad: ``Bearer:``, ``Bea rer``, ``jwt, JWT``.
    """
    types = [item.strip() for item in text.split(",")]
    for item in types:
        token = re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", item)
        require(token, "is not an HTTP token", item)
    require(len({t.lower() for t in types}) == len(types), "has a word twice")
    require(len(python(tuple(types))) <= 62, "is too long for one line")
    return types


# --- Claims

GROUPS = 'sorted(user.groups.values_list("name", flat=True))'
# What every user has, and its value for the user of the rendered project's tests.
SOURCES: dict[str, tuple[str, object]] = {
    "id": ("user.pk", 1001),
    "username": ("user.username", "ada"),
    "email": ("user.email", "ada@example.com"),
    "first_name": ("user.first_name", "Ada"),
    "last_name": ("user.last_name", "Lovelace"),
    "full_name": ("user.get_full_name()", "Ada Lovelace"),
    "is_staff": ("user.is_staff", True),
    "is_superuser": ("user.is_superuser", False),
    "groups": (GROUPS, ["editors", "reviewers"]),
    "permissions": ("sorted(user.get_all_permissions())", ["auth.view_group"]),
    "date_joined": ("user.date_joined", "2026-01-02T03:04:05Z"),
    "last_login": ("user.last_login", "2026-02-03T04:05:06Z"),
}
# The Python types of claims whose test value does not show it.
ANNOTATIONS = {"groups": "list[str]", "permissions": "list[str]"}
ANNOTATIONS["date_joined"] = "datetime.datetime"
ANNOTATIONS["last_login"] = "datetime.datetime | None"
IN_TOKEN = "iss sub aud exp nbf iat jti typ token_type sid seq".split()
IN_RESPONSE = "access refresh".split()
# Django's columns, which SQL compares without regard to case; other members of the user
# model, its factory and their metaclasses; names that its annotations, fields and
# constructor need.
MEMBERS = re.compile(
    r"""(?i:id|password|last_login|is_superuser|username|first_name|last_name|email)
    | (?i:is_staff|is_active|date_joined) | groups | (user_)?permissions
    | a?(check|check_password|delete|refresh_from_db|save) | a?get_\w+ | natural_key
    | a?has_(module_perms|perms?) | has_usable_password | is_(anonymous|authenticated)
    | set_(unusable_)?password | full_(clean|name) | clean(_fields)?
    | log(entry|in_?session)(s|_set)? | (date|unique)_error_message | email_user | pk
    | normalize_username | prepare_database_save | save_base | serializable_value
    | username_validator | validate_(constraints|unique) | from_db | objects | l
    | (build|create|stub|(simple_)?generate)(_batch)? | reset_sequence | add_to_class
    | mro | cls | self | models | datetime
    | uuid | bool|bytes|dict|float|int|list|object|property|set|str|super|tuple
    """,
    re.VERBOSE,
)
BOOLEANS = {"true": True, "True": True, "false": False, "False": False}
UUIDS = [UUID(int=(1 << 78) + (1 << 63) + n) for n in (1, 2)]
DATES = [date(2026, 2, 3), date(2026, 3, 4)]
TEXT = partial(printable, longest=255)
# A claim's types: the model field, how a default is read, what it may be, and two
# values for tests, which take the one that is not the default.
TYPES: dict[str, tuple[str, Callable[[str], object], str, list[Any]]] = {
    "str": ("Char", TEXT, "1 to 255 printable characters", ["sample", "other"]),
    "int": ("BigInteger", int, "a 64-bit whole number", [7, 8]),
    "bool": ("Boolean", BOOLEANS.__getitem__, "true or false", [True, False]),
    "uuid": ("UUID", UUID, "a UUID", UUIDS),
    "date": ("Date", date.fromisoformat, "a date such as 2026-01-31", DATES),
}


class Claim(NamedTuple):
    """One claim, and what the project's files say about it."""

    name: str  # in the token
    field: str  # of the user
    expression: str  # its value: ``user.email``
    expected: str  # its value in a token, for the user of the tests
    annotation: str  # its type in Python
    type: str | None = None  # of a field of the project's own, as is what follows
    default: str = ""  # the value of new users
    sample: str = ""  # another value
    model_field: str = ""  # for the line ``    name = ...`` of the model
    migration_field: str = ""  # the same, as Django's migrations write it


def new_claim(name: str, type_: str, text: str) -> Claim:
    """Return the claim of a new field, with or without a default."""
    field, read, accepts, samples = TYPES[type_]
    arguments = ["max_length=255", "blank=True"] if type_ == "str" else []
    default = None
    if text:
        why = f"is not {accepts}"
        try:
            default = read(text)
        except (ValueError, KeyError):
            raise Refused(why, text) from None
        require(str(default).lower() == text.lower(), why, text)  # 007, 20260131
        require(type_ != "int" or -(2**63) <= int(text) < 2**63, why, text)
        arguments.append(f"default={python(default)}")
    arguments = arguments or ["null=True", "blank=True"]
    start = f"models.{field}Field("
    line = f"{start}{', '.join(arguments)})"
    if len(f"    {name} = {line}") + sum(not c.isascii() for c in line) > WIDTH:
        line = start + "".join(f"\n        {item}," for item in arguments) + "\n    )"
    migration = f"{start}{', '.join(sorted(arguments))})"
    sample = next(value for value in samples if value != default)
    expected = python(sample if isinstance(sample, int) else str(sample))
    initial = python("" if default is None and type_ == "str" else default)
    written = {"uuid": "uuid.UUID", "date": "datetime.date"}.get(type_, type_)
    annotation = f"{written} | None" if initial == "None" else written
    own = (name, name, f"user.{name}", expected, annotation, type_)
    return Claim(*own, initial, python(sample), line, migration)


def claim(item: str) -> Claim:
    """Read a claim. Good: ``email``, ``mail=email``, ``role:str``, ``role:str=member``.

    Bad: ``emial``, ``mail=``, ``role:text``, ``level:int=high``, ``groups:str``.
    """
    start, equals, value = (part.strip() for part in item.partition("="))
    name, colon, type_ = (part.strip() for part in start.partition(":"))
    fits = re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name)
    require(fits, "is not a name such as tenant_id", name)
    require(len(name) <= 36, "is longer than 36 characters", name)
    require(not keyword.iskeyword(name), "is a Python keyword", name)
    require(name not in IN_TOKEN, "is a name the token itself uses", name)
    source = value if equals and not colon else name
    secret = re.search(r"(^|[ _])password\d*\b", f"{name} {source}".lower())
    require(not secret, "must never leave the database", secret and secret[0].strip())
    if not colon:
        if source not in SOURCES:
            raise Refused(f"is unknown{nearest(source, SOURCES)}", source)
        expression, sample = SOURCES[source]
        annotation = ANNOTATIONS.get(source, type(sample).__name__)
        return Claim(name, source, expression, python(sample), annotation)
    require(type_ in TYPES, "is not str, int, bool, uuid or date", type_)
    require(not MEMBERS.fullmatch(name), "is a name the project itself uses", name)
    require(name[0].islower(), "does not start with a small letter", name)
    bad = re.search("__|_$", name)
    require(not bad, "has underscores Django does not allow", name)
    require(value or not equals, "has no default after =", name)
    return new_claim(name, type_, value or ("false" if type_ == "bool" else ""))


def claims(text: str, answers: Answers | None = None) -> list[Claim]:
    """Read the claims; ``none`` and an empty text mean that there are none."""
    items = [] if text.lower() in ("", "none") else text.split(",")
    require(len(items) <= 50, "has more than 50 claims")
    found, given, names = [claim(item) for item in items], answers or {}, set()
    for name, field in ((new.name, new.field) for new in found):
        require(name.lower() not in names, "appears twice", name)
        names.add(name.lower())
        clash = name in IN_RESPONSE and "response" in str(given.get("claims_in"))
        require(not clash, "is in the login response already", name)
        absent = field == "username" and given.get("login_field") == "email"
        require(not absent, "does not exist when users log in by e-mail", field)
    return found


def annotation_imports(text: str) -> list[str]:
    """Return the modules that the claims' types need."""
    written = [claim.annotation for claim in claims(text)]
    return [
        name for name in ("datetime", "uuid") if any(f"{name}." in w for w in written)
    ]


def claim_imports(text: str, use: str = "default") -> list[str]:
    """Return the modules that the defaults need, or with ``"sample"`` the samples."""
    modules = {"date": "datetime", "uuid": "uuid"}
    new = [c for c in claims(text) if use == "sample" or "default=" in c.model_field]
    return sorted({modules[c.type] for c in new if c.type in modules})


# --- Text


def python(value: object) -> str:
    """Write a value in Python, as the formatter leaves it: ``"O'Neil"``."""
    if isinstance(value, tuple | list):
        items = ", ".join(map(python, value)) + "," * (value[1:] == ())
        return f"({items})" if isinstance(value, tuple) else f"[{items}]"
    if not isinstance(value, str):
        return f'uuid.UUID("{value}")' if isinstance(value, UUID) else repr(value)
    if value.count('"') <= value.count("'"):
        return dumps(value)
    return "'" + dumps(value)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"


MARKS = re.compile(
    r"""\\(?=[!-/:-@\[-`{-~]|$)               # a backslash that would escape the next
    | [*`\[\]|~] | (?<![^\W_])_ | _(?![^\W_])   # emphasis, code, links, cells
    | <(?=[A-Za-z/!?]) | &(?=\#?\w+;)          # HTML, entities
    | ^\#(?=\#{0,5}(\s|$)) | (?<=\s)\#(?=\#*$) # the start and the end of a heading
    | ^(>|[-+](?=\s|$)|-(?=[-\s]+$)|=(?==*$))  # quotations, lists, rules""",
    re.VERBOSE,
)


def markdown(text: str) -> str:
    """Escape what Markdown would not show literally, such as the ``*`` of ``C*``."""
    text = MARKS.sub(r"\\\g<0>", text)
    return re.sub(r"^(\d{1,9})([.)])(?=\s|$)", r"\1\\\2", text)  # numbered lists


# --- All the answers together


TIMES = "a duration (of w, d, h, m and s or in ISO 8601, at most 3650 days)"
LIVES = ["5m", "1d", "30d", "365d", "3650d"]
CLAIMS = (
    f"claims (none, or {' '.join(SOURCES)}, also as name=one of these, or fields of "
    "your own as name:type or name:type=default)"
)
SLUG = "up to 64 of a-z, 0-9, - and _ (first a letter, last no - or _)"
ACCESS, REFRESH = "access_token_lifetime", "refresh_token_lifetime"
# How an answer is checked, what is accepted, and examples; one of them always works.
Question = tuple[Callable[[str, Answers], object], str, list[str]]
QUESTIONS: dict[str, Question] = {
    "project_name": (printable, "1 to 80 printable characters", ["My API"]),
    "project_slug": (project_slug, SLUG, ["my_api"]),
    ACCESS: (check_lifetime, TIMES, LIVES),
    REFRESH: (partial(check_lifetime, least=ACCESS, more=1), TIMES, LIVES),
    "session_lifetime": (partial(check_lifetime, least=REFRESH), TIMES, LIVES),
    "auth_header_type": (header_types, "words with commas", ["Bearer, JWT"]),
    "extra_claims": (claims, CLAIMS, ["email, role:str"]),
}
SEPARATORS = re.compile("([,，﹐︐=＝﹦⁼₌])")


def normalize(key: str, answer: Any) -> Any:
    """Return an answer as it is meant, whatever YAML and input methods make of it.

    A list of texts and numbers is joined with commas; other lists become None. Text for
    machines is in Unicode's form NFKC: full-width digits, letters and commas become
    ASCII. The text of a new field's default, which ends at a comma, stays as it is.
    """
    if isinstance(SETTINGS[key], str) and isinstance(answer, list):
        fits = all(type(item) in (str, int, float) for item in answer)
        answer = ", ".join(map(str, answer)) if fits else None
    if not isinstance(answer, str) or key == "project_name":
        return answer.strip() if isinstance(answer, str) else answer
    pieces, default = [""], False
    for piece in SEPARATORS.split(answer) if key == "extra_claims" else [answer]:
        default = default and piece != ","
        pieces.append(piece if default else unicodedata.normalize("NFKC", piece))
        default |= bool(pieces[-1] == "=" and re.search(r":\s*str\s*$", pieces[-2]))
    return "".join(pieces).strip()


def refused(key: str, answers: Answers) -> Refused | None:
    """Return why the answer is refused, or None if it is accepted."""
    answer = normalize(key, answers.get(key))
    try:
        require(isinstance(answer, str), "is not text")
        for mark in ("{{", "{%", "{#"):
            require(mark not in answer, f"contains the Jinja mark {mark}")
        printable(answer or "-", longest=5000)
        if key in QUESTIONS:
            QUESTIONS[key][0](answer, answers)
        else:
            near = nearest(answer, SETTINGS[key])
            require(answer in SETTINGS[key], f"is not a choice{near}")
    except Refused as why:
        return why
    return None


def shorten(text: str, longest: int) -> str:
    """Return the text, or its beginning and dots, in at most so many characters."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def quote(value: object, longest: int = 99) -> str:
    """Return a value as Python writes it, in at most so many characters."""
    text = repr(value)
    return text if len(text) <= longest else shorten(text, longest - 1) + text[-1]


def refusal(key: str, answers: Answers, longest: int = 0) -> str:
    """Return a line that says why the answer is refused, and what is accepted.

    With ``longest`` it is for the person who has just typed the answer: it leaves out
    the key and details, and has at most so many characters.
    """
    if not (why := refused(key, answers)):
        return ""
    choice = (None, f"one of {', '.join(SETTINGS[key])}", SETTINGS[key])
    _, accepted, examples = QUESTIONS.get(key, choice)
    good = (e for e in examples if not refused(key, {**answers, key: e}))
    example = next(good, examples[0])
    value, item = answers.get(key), why.item
    whole = item is None or item == value
    if not longest:
        named = quote(value) if whole else f"{quote(value)}: {quote(item)}"
        return f"{key}: {named} {why}. Write {accepted}, such as {example}."
    advice = f"Write {accepted.partition(' (')[0]}, such as {example}."
    room = longest - len(advice) - 2
    line = f"{value!r} {why}" if whole else f"{value!r}: {item!r} {why}"
    if len(line) > room:
        named = quote(value if whole else item, max(12, room - len(f" {why}")))
        line = shorten(f"{named} {why}", room)
    return f"{line}. {advice}"


# --- What cookiecutter.json, the template's files and its hook call


FILTERS: dict[str, Any] = {
    "answers": lambda a: dumps({"cookiecutter": {k: a[k] for k in KEYS}}, indent=2),
    "header_types_literal": lambda text: python(tuple(header_types(text))),
    "new_fields": lambda text: [claim for claim in claims(text) if claim.type],
    "shell": shlex.quote,
    "toml": dumps,
}
READERS = [annotation_imports, claim_imports, claims, duration, header_types]
WRITERS = [markdown, python, seconds, slug, timedelta]
FILTERS |= {function.__name__: function for function in READERS + WRITERS}


def __getattr__(name: str) -> Any:
    """Return the extension, which replays of older templates expect here."""
    if name != "AnswersExtension":
        raise AttributeError(name)
    from jwt_prompts import AnswersExtension

    return AnswersExtension
