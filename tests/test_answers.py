"""The readers and the writers of ``jwt_answers``, one by one."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import DEFAULTS, KEYS, ROOT, SETTINGS
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from ruff import find_ruff_bin

import jwt_answers
from jwt_answers import Refused, claims, header_types, parse_duration, refusal

CHARACTERS = st.characters(exclude_categories=["C", "Z"], include_characters=" ")
PRINTABLE = st.text(CHARACTERS, min_size=1)


def ruff_leaves_it(folder: Path, code: str) -> None:
    file = folder / "code.py"
    file.write_text(code, "utf-8")
    command = [find_ruff_bin(), "format", "--isolated", "--no-cache", "--diff", file]
    command.append(f"--line-length={jwt_answers.WIDTH}")
    found = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert found.returncode == 0, found.stdout + found.stderr


# --- Durations


@pytest.mark.parametrize(
    ("text", "literal", "words"),
    [
        ("5 minutes", "minutes=5", "5 minutes"),
        ("5m", "minutes=5", "5 minutes"),
        ("90 s", "seconds=90", "90 seconds"),
        ("1h30m", "hours=1, minutes=30", "1 hour 30 minutes"),
        ("1 hour 30 min", "hours=1, minutes=30", "1 hour 30 minutes"),
        ("30m 1h", "hours=1, minutes=30", "1 hour 30 minutes"),
        ("1 day", "days=1", "1 day"),
        ("7 DAYS", "days=7", "7 days"),
        ("2w", "weeks=2", "2 weeks"),
        ("PT15M", "minutes=15", "15 minutes"),
        ("P1DT12H", "days=1, hours=12", "1 day 12 hours"),
        ("P2W", "weeks=2", "2 weeks"),
        ("1h0m", "hours=1", "1 hour"),
        ("3650 days", "days=3650", "3650 days"),
        (
            "1w 2d 3h 4m 5s",
            "days=9, hours=3, minutes=4, seconds=5",
            "9 days 3 hours 4 minutes 5 seconds",
        ),
    ],
)
def test_a_duration_is_written_as_it_was_said(
    text: str, literal: str, words: str
) -> None:
    assert jwt_answers.timedelta(text) == f"timedelta({literal})"
    assert jwt_answers.duration(text) == words


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("5", "has no unit"),
        ("5 potatoes", "has the unknown unit potatoes"),
        ("1 month", "has the unknown unit month"),
        ("2y", "has the unknown unit y"),
        ("P1M", "not a duration"),
        ("P1Y", "not a duration"),
        ("1.5h", "not a duration"),
        ("PT1.5H", "not a duration"),
        ("-5m", "not a duration"),
        ("+5m", "not a duration"),
        ("1e9d", "has the unknown unit e"),
        ("NaN", "not a duration"),
        ("5m\n", "not a duration"),
        ("5\u00a0m", "not a duration"),
        ("٥m", "not a duration"),
        ("0", "has no unit"),
        ("0s", "is not longer than zero"),
        ("P", "is not longer than zero"),
        ("PT", "not a duration"),
        ("1h 1h", "has hours twice"),
        ("60s 1 sec", "has seconds twice"),
        ("3651 days", "is longer than 3650 days"),
        ("3650d 1s", "is longer than 3650 days"),
        ("9" * 5000 + "s", "is longer than 3650 days"),
    ],
)
def test_what_is_no_duration_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        parse_duration(text)


UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}


@given(st.dictionaries(st.sampled_from(list(UNITS)), st.integers(0, 10**6), min_size=1))
def test_durations_lose_nothing(counts: dict[str, int]) -> None:
    text = " ".join(f"{count}{unit}" for unit, count in counts.items())
    total = sum(count * UNITS[unit] for unit, count in counts.items())
    if 0 < total <= 3650 * 86400:
        literal = jwt_answers.timedelta(text)
        assert eval(literal) == timedelta(seconds=total)
        assert len(literal) <= 57
        assert jwt_answers.seconds(jwt_answers.duration(text)) == total
    else:
        with pytest.raises(Refused):
            parse_duration(text)


def test_lifetimes_are_compared() -> None:
    def refused(**answers: str) -> list[str]:
        return [key for key in KEYS if refusal(key, DEFAULTS | answers)]

    assert refused() == []
    assert refused(access_token_lifetime="1 day") == ["refresh_token_lifetime"]
    assert refused(refresh_token_lifetime="5m") == ["refresh_token_lifetime"]
    assert refused(refresh_token_lifetime="301 s") == []
    assert refused(session_lifetime="1 day") == []
    assert refused(session_lifetime="86399s") == ["session_lifetime"]
    assert refused(access_token_lifetime="bad") == ["access_token_lifetime"]
    # There could be no longer refresh token.
    assert refused(access_token_lifetime="3650 days")[0] == "access_token_lifetime"


# --- Slugs


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("My API", "my_api"),
        ("내 서비스", "nae_seobiseu"),
        ("2048", "api_2048"),
        ("🚀", "my_api"),
        ("../..", "my_api"),
        ("Django", "django_api"),
        ("NUL", "nul_api"),
        ("x" * 80, "x" * 60),
    ],
)
def test_a_slug_is_suggested(name: str, slug: str) -> None:
    assert jwt_answers.slug(name) == slug


@given(st.text())
def test_a_suggested_slug_is_always_good(name: str) -> None:
    assert not refusal("project_slug", {"project_slug": jwt_answers.slug(name)})


@pytest.mark.parametrize("slug", ["a", "my_api", "my-api", "a--1", "x" * 64, "json"])
def test_slugs_are_accepted(slug: str) -> None:
    assert jwt_answers.project_slug(slug) == slug


@pytest.mark.parametrize(
    "slug",
    [
        *("", "../evil", "a/b", "My API", "1st", "_a", "a_", "a-", "x" * 65, "x" * 300),
        *("é", "a\n", "django", "Django", "nul", "com1", ".", "..", "~"),
    ],
)
def test_slugs_are_refused(slug: str) -> None:
    with pytest.raises(Refused):
        jwt_answers.project_slug(slug)


# --- Header types


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("Bearer", ["Bearer"]),
        ("Bearer, JWT", ["Bearer", "JWT"]),
        ("Bearer,Token , JWT", ["Bearer", "Token", "JWT"]),
        ("!#$%&'*+-.^_`|~09", ["!#$%&'*+-.^_`|~09"]),
    ],
)
def test_header_types_are_read(text: str, types: list[str]) -> None:
    assert header_types(text) == types
    literal = jwt_answers.FILTERS["header_types_literal"](text)
    assert ast.literal_eval(str(literal)) == tuple(types)


@pytest.mark.parametrize(
    "text",
    [
        *("", "Bearer:", "Bea rer", "a,,b", "Bearer,", "jwt, JWT", "a\r\nX: y", "a\tb"),
        *('"a"', "Bärer", "(a)", "a/b", "x" * 80, ", ".join("abcdefghijklmnop")),
    ],
)
def test_header_types_are_refused(text: str) -> None:
    with pytest.raises(Refused):
        header_types(text)


# --- Claims


@pytest.mark.parametrize("text", ["", "none", "None", "NONE"])
def test_none_means_no_claims(text: str) -> None:
    assert claims(text) == []


def test_what_every_user_has_is_a_claim() -> None:
    found = claims(", ".join(jwt_answers.SOURCES))
    assert [claim.name for claim in found] == list(jwt_answers.SOURCES)
    assert all(claim.expression.count("user.") == 1 for claim in found)
    assert not any(claim.type for claim in found)


def test_a_claim_can_have_another_name() -> None:
    (claim,) = claims("preferred_username = username")
    assert claim.expression == "user.username"
    assert (claim.name, claim.field) == ("preferred_username", "username")


FIELDS = {
    "role:str": "models.CharField(max_length=255, blank=True)",
    "role:str=member": 'models.CharField(max_length=255, blank=True, default="member")',
    "n:int": "models.BigIntegerField(null=True, blank=True)",
    "n:int=-7": "models.BigIntegerField(default=-7)",
    "b:bool": "models.BooleanField(default=False)",
    "b : bool = True": "models.BooleanField(default=True)",
    "u:uuid": "models.UUIDField(null=True, blank=True)",
    "u:uuid=3F333DF6-90a4-4fda-8dd3-9485d27cee36": "models.UUIDField(default="
    'uuid.UUID("3f333df6-90a4-4fda-8dd3-9485d27cee36"))',
    "d:date": "models.DateField(null=True, blank=True)",
    "d:date=2026-01-31": "models.DateField(default=datetime.date(2026, 1, 31))",
}


@pytest.mark.parametrize(("text", "field"), FIELDS.items(), ids=list(FIELDS))
def test_a_claim_can_be_a_field_of_the_projects_own(text: str, field: str) -> None:
    (claim,) = claims(text)
    assert claim.model_field == field
    assert claim.expression == f"user.{claim.name}"


def test_a_migration_has_the_arguments_in_alphabetical_order() -> None:
    (claim,) = claims("role:str=member")
    written = 'models.CharField(blank=True, default="member", max_length=255)'
    assert claim.migration_field == written


def test_samples_are_not_the_default() -> None:
    texts = ["a:str=sample", "a:int=7", "a:bool=true", "a:date=2026-02-03"]
    texts += ["a:uuid=00000000-0000-4000-8000-000000000001"]
    for claim in (claim for text in texts for claim in claims(text)):
        assert f"default={claim.default}" in claim.model_field
        assert claim.sample != claim.default


def test_new_users_have_the_default() -> None:
    found = claims("a:str,b:int,c:bool,d:uuid,e:date,f:str=x,g:date=2026-01-31")
    values = [
        '""',
        "None",
        "False",
        "None",
        "None",
        '"x"',
        "datetime.date(2026, 1, 31)",
    ]
    assert [claim.default for claim in found] == values


def test_expected_values_are_those_of_json() -> None:
    found = claims("a:str,b:int,c:bool,d:uuid,e:date,date_joined,groups,id")
    assert [claim.expected for claim in found] == [
        '"sample"',
        "7",
        "True",
        '"00000000-0000-4000-8000-000000000001"',
        '"2026-02-03"',
        '"2026-01-02T03:04:05Z"',
        '["editors", "reviewers"]',
        "1001",
    ]


def test_imports_are_only_those_needed() -> None:
    text = "a:uuid, b:date=2026-01-31, c:str=uuid.UUID"
    assert jwt_answers.claim_imports(text) == ["datetime"]
    assert jwt_answers.claim_imports(text, "sample") == ["datetime", "uuid"]


TAKEN = """
groups check clean save pk objects username Email ID is_active is_anonymous has_perm
user_permissions login_sessions logentry logentry_set self str
mro add_to_class generate simple_generate_batch get_next_by_since get_full_name
full_name models uuid l create datetime permissions last_login
""".split()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        *(
            (name, "the token itself uses")
            for name in ("exp=email", "sid:int", "sub=id")
        ),
        ("email,email", "'email' appears twice"),
        ("a=email, a=id", "'a' appears twice"),
        ("a=email, a:str", "'a' appears twice"),
        ("aB:str, ab:str", "'ab' appears twice"),
        ("password", "must never leave"),
        ("pw=password", "must never leave"),
        ("password:str", "must never leave"),
        ("Password=email", "must never leave"),
        ("password1:str", "must never leave"),  # a field of the admin's form
        ("usable_password:bool", "must never leave"),
        ("emial", r"'emial' is unknown \(did you mean email\?\)"),
        ("a=emial", r"did you mean email"),
        ("role:text", "'text' is not str, int, bool, uuid or date"),
        ("role:", "'' is not str, int"),
        ("role=", "'' is unknown"),
        ("role:str=", "'role' has no default"),
        ("role:str=" + "x" * 256, "1 to 255 printable characters"),
        ("level:int=high", "'high' is not a 64-bit whole number"),
        ("level:int=007", "whole number"),
        ("level:int=1_000", "whole number"),
        ("level:int=1.5", "whole number"),
        ("level:int=9223372036854775808", "is not a 64-bit"),
        ("level:int=" + "9" * 5000, "whole number"),
        ("beta:bool=1", "true or false"),
        ("u:uuid=42", "a UUID"),
        ("u:uuid={3f333df6-90a4-4fda-8dd3-9485d27cee36}", "a UUID"),
        ("since:date=2026-02-30", "a date"),
        ("since:date=20260131", "a date"),
        ("since:date=2026-W05-6", "a date"),
        ("class:str", "Python keyword"),
        ("class=email", "Python keyword"),
        ("True=email", "Python keyword"),
        ("a b=email", "is not a name"),
        ("1a=email", "is not a name"),
        ("é=email", "is not a name"),
        ("a" * 37 + "=email", "longer than 36 characters"),
        ("email,", "'' is not a name"),
        (",", "'' is not a name"),
        ("none, email", "'none' is unknown"),
        ("_a:str", "small letter"),
        ("Role:str", "small letter"),
        ("Meta:str", "small letter"),
        ("a_:str", "underscores"),
        ("a__b:str", "underscores"),
        *((f"{name}:str", "the project itself uses") for name in TAKEN),
        (",".join(f"c{n}=id" for n in range(51)), "more than 50"),
    ],
)
def test_claims_are_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        claims(text)
    why = refused.value
    assert re.search(reason, str(why) if why.item is None else f"{why.item!r} {why}")


@pytest.mark.parametrize("name", ["full_time", "type", "match", "has_paid", "is_vip"])
def test_ordinary_fields_are_accepted(name: str) -> None:
    assert claims(f"{name}:bool")[0].type == "bool"


def test_names_of_the_login_answer_are_refused_only_there() -> None:
    for where, refused in (("token", False), ("response", True)):
        for name in ("access", "refresh"):
            answers = DEFAULTS | {"extra_claims": f"{name}=email", "claims_in": where}
            assert bool(refusal("extra_claims", answers)) == refused


@pytest.mark.parametrize("text", ["username", "name=username", "username:str"])
def test_there_is_no_username_when_people_log_in_by_email(text: str) -> None:
    answers = DEFAULTS | {"extra_claims": text, "login_field": "email"}
    assert refusal("extra_claims", answers)


# --- Text


@given(PRINTABLE)
def test_python_means_the_text(text: str) -> None:
    assert ast.literal_eval(jwt_answers.python(text)) == text


@given(PRINTABLE)
def test_toml_means_the_text(text: str) -> None:
    assert tomllib.loads(f"x = {jwt_answers.FILTERS['toml'](text)}") == {"x": text}


NAME = "Robert \"Bob\" O'Neil's API \\ 내 서비스 🚀"


@pytest.mark.parametrize("text", [NAME, "my_api 2.0 (beta) - a + b = c & d < 3 > 2 #4"])
def test_markdown_escapes_nothing_without_need(text: str) -> None:
    assert jwt_answers.markdown(text) == text


MARKUP = st.text(st.sampled_from("\\`*_{}[]()#+-.!<>|~&;:=\"' aé1") | CHARACTERS)


@given(MARKUP.map(str.strip).filter(bool), st.sampled_from(["# ", "", "A ", "> "]))
def test_markdown_shows_the_text(text: str, before: str) -> None:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = parser.parse(before + jwt_answers.markdown(text) + "\n")
    (inline,) = [token for token in tokens if token.type == "inline"]
    assert inline.children is not None
    assert {child.type for child in inline.children} <= {"text", "text_special"}
    shown = "".join(child.content for child in inline.children)
    assert shown == before.strip("#> ").ljust(2 * (before == "A ")) + text
    kinds = {
        token.type.removesuffix("_open").removesuffix("_close") for token in tokens
    }
    assert kinds <= {"inline", "heading", "paragraph", "blockquote"}


@given(MARKUP.map(str.strip).filter(bool))
def test_markdown_fits_into_tables(text: str) -> None:
    table = f"| a | b |\n|---|---|\n| {jwt_answers.markdown(text)} | x |\n"
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(table)
    cells = [t.children for t in tokens if t.type == "inline"][2:]
    texts = ["".join(child.content for child in cell or []) for cell in cells]
    assert texts == [text, "x"]


def test_the_formatter_leaves_everything_as_it_is(tmp_path: Path) -> None:
    names = ["n", "n" * 20, "n" * 30, "n" * 36]
    texts = [
        "a",
        "a" * 40,
        "가" * 20,
        "가" * 40,
        'a"b',
        "a'b",
        "a\"'b",
        "\\",
        "x" * 255,
    ]
    code = "class User:\n"
    for name in names:
        items = [f"{name}:{type_}" for type_ in jwt_answers.TYPES]
        items += [f"{name}:str={text}" for text in texts] + [f"{name}:date=2026-01-31"]
        items += [f"{name}:uuid=3f333df6-90a4-4fda-8dd3-9485d27cee36"]
        for claim in (claim for item in items for claim in claims(item)):
            code += f"    {name} = {claim.model_field}\n"
    code += "\n\ndef claims_for(user):\n    return {\n"
    for name in names:
        for item in [
            *(f"{name}={source}" for source in jwt_answers.SOURCES),
            *(f"{name}:{type_}" for type_ in jwt_answers.TYPES),
            f"{name}:uuid=3f333df6-90a4-4fda-8dd3-9485d27cee36",
        ]:
            (claim,) = claims(item)
            code += f'        "{name}": {claim.expression},\n'
            code += f'        "{name}": {claim.default or claim.expected},\n'
    code += "    }\n\n\nSIMPLE_JWT = {\n"
    for text in ("Bearer", "Bearer, JWT", "a'b", "x" * 57, "x" * 20 + ", " + "y" * 30):
        literal = jwt_answers.FILTERS["header_types_literal"](text)
        code += f'    "AUTH_HEADER_TYPES": {literal},\n'
    for text in ("5 minutes", "1w2d3h4m5s", "1w9d900h59m"):
        code += f'    "REFRESH_TOKEN_LIFETIME": {jwt_answers.timedelta(text)},\n'
    ruff_leaves_it(tmp_path, code + "}\n")


# --- The message


GOOD: list[tuple[str, object]] = [
    ("project_name", "-"),
    ("project_name", "'\""),
    ("auth_header_type", "-"),
    ("extra_claims", "\n"),
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "answer",
    [
        *(
            "\n",
            "{{ API }}",
            "{% if %}",
            "{# #}",
            "\x00",
            "\u202e",
            "x" * 10_000,
            "\ud800",
        ),
        *(None, 5, True, {}, [{}], "'\"", "-"),
    ],
)
def test_a_refusal_is_one_line_with_an_example_that_works(
    key: str, answer: object
) -> None:
    answers: dict[str, object] = DEFAULTS | {key: answer}
    line = refusal(key, answers)
    if not line:
        assert (key, answer) in GOOD
        return
    assert line.startswith(f"{key}: ")
    told = [line]
    if isinstance(SETTINGS[key], str):  # the other questions are answered by number
        told.append(refusal(key, answers, longest=98))
        assert len(told[1]) <= 98
    for line in told:
        assert line.isprintable()
        example = line.rpartition(", such as ")[2].removesuffix(".")
        assert not refusal(key, answers | {key: example})
        if isinstance(answer, str) and answer.isprintable() and len(answer) < 20:
            assert repr(answer) in line


@given(st.sampled_from(KEYS), st.text() | st.from_regex(r"[a-z0-9 ,:=_]{1,60}"))
def test_refusals_never_fail(key: str, answer: str) -> None:
    for longest in (0, 98):
        line = refusal(key, DEFAULTS | {key: answer}, longest)
        assert line == "" or line.isprintable()


def test_answers_can_be_replayed() -> None:
    written = jwt_answers.FILTERS["answers"](
        DEFAULTS | {"_template": "x", "__old": "y"}
    )
    assert json.loads(written) == {"cookiecutter": DEFAULTS}


# --- Input methods and YAML


@pytest.mark.parametrize(
    ("key", "typed", "meant"),
    [
        ("access_token_lifetime", "１０ ｍｉｎｕｔｅｓ", "10 minutes"),
        ("access_token_lifetime", "５\u3000ｍ", "5 m"),
        ("access_token_lifetime", "ＰＴ１５Ｍ", "PT15M"),
        ("project_slug", "ｍｙ＿ａｐｉ", "my_api"),
        ("auth_header_type", "Ｂｅａｒｅｒ，ＪＷＴ", "Bearer,JWT"),
        ("extra_claims", "ｎｏｎｅ", "none"),
        ("extra_claims", "ｅｍａｉｌ，full_name", "email,full_name"),
        (
            "extra_claims",
            "level：int＝７﹐b﹕bool﹦ｔｒｕｅ",
            "level:int=7,b:bool=true",
        ),
        ("extra_claims", "d:date=２０２６－０１－３１", "d:date=2026-01-31"),
        ("extra_claims", "mail＝ｅｍａｉｌ", "mail=email"),
        # The default of a text is free text, and ends at a comma.
        ("extra_claims", "ｒｏｌｅ:ｓｔｒ＝회원™ Ａ, ｉｄ", "role:str=회원™ Ａ, id"),
        ("extra_claims", "a：𝐬𝐭𝐫 ＝ﬁ＝：，１,ｂ:int=１", "a:str =ﬁ＝：，１,b:int=1"),
        ("extra_claims", "a:str=｛｛ ｝｝", "a:str=｛｛ ｝｝"),
        ("project_name", "ㅋㅋ API™ ｛｛", "ㅋㅋ API™ ｛｛"),
        ("extra_claims", ["email", "role:str=member"], "email, role:str=member"),
        ("extra_claims", ["ｉｄ", "a:str=Ａ", "ｂ:int"], "id, a:str=Ａ, b:int"),
        ("extra_claims", [], ""),
        ("auth_header_type", ["Bearer", "JWT"], "Bearer, JWT"),
        ("project_name", ["Shop", 2], "Shop, 2"),
    ],
)
def test_answers_are_read_as_they_are_meant(
    key: str, typed: object, meant: str
) -> None:
    assert jwt_answers.normalize(key, typed) == meant
    assert refusal(key, DEFAULTS | {key: typed}) == ""


@pytest.mark.parametrize("item", [None, True, {"role": "str"}, ["id"]])
@pytest.mark.parametrize("key", ["project_name", "auth_header_type", "extra_claims"])
def test_a_list_holds_texts_and_numbers(key: str, item: object) -> None:
    assert "is not text" in refusal(key, DEFAULTS | {key: ["id", item]})


@pytest.mark.parametrize(
    ("key", "typed", "reason"),
    [
        ("access_token_lifetime", "｛｛ ５m ｝｝", "Jinja mark {{"),
        ("access_token_lifetime", "{︀% if %}", "is not a duration"),
        ("access_token_lifetime", "５", "has no unit"),
        ("project_slug", "｛％ if ％｝", "Jinja mark {%"),
        ("project_slug", "．．／evil", "contains '.'"),
        ("project_slug", "㏒" * 64, "has 192 characters"),
        ("project_slug", "ⅷ" * 30, "has 120 characters"),
        ("auth_header_type", "＂JWT＂", "is not an HTTP token"),
        ("auth_header_type", "Bearer：", "'Bearer:' is not an HTTP token"),
        ("extra_claims", "｛＃ ＃｝", "Jinja mark {#"),
        ("extra_claims", "ｎ:ｉｎｔ=｛｛ 1 ｝｝", "Jinja mark {{"),
        ("extra_claims", "ｐａｓｓｗｏｒｄ", "must never leave"),
        ("extra_claims", "a=ｐａｓｓｗｏｒｄ", "must never leave"),
        ("extra_claims", "ｅｘｐ=id", "the token itself uses"),
        ("extra_claims", "ｃｌａｓｓ:str", "a Python keyword"),
        ("extra_claims", "ﷺ=id", "is not a name"),
        ("extra_claims", "㍿" * 10 + "=id", "is not a name"),
    ],
)
def test_answers_are_checked_as_they_are_meant(
    key: str, typed: str, reason: str
) -> None:
    assert reason in refusal(key, DEFAULTS | {key: typed})


@given(st.text() | st.from_regex(r"[ａ-ｚ:：=＝,，str１]{1,40}"))
def test_reading_twice_is_reading_once(text: str) -> None:
    for key in ("extra_claims", "auth_header_type"):
        meant = jwt_answers.normalize(key, text)
        if not refusal(key, DEFAULTS | {key: text}):
            assert jwt_answers.normalize(key, meant) == meant


def test_the_readers_need_nothing_of_cookiecutter() -> None:
    """They use the standard library only."""
    script = (
        "import sys; before = {*sys.modules}; import jwt_answers\n"
        "new = {name.partition('.')[0] for name in {*sys.modules} - before}\n"
        "assert new - sys.stdlib_module_names == {'jwt_answers'}, new"
    )
    command = [sys.executable, "-S", "-c", script]
    subprocess.run(command, cwd=ROOT, check=True)
