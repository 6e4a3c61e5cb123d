"""Sets of answers that together use every answer there is."""

from __future__ import annotations

import ast
import io
import tokenize
from itertools import combinations, product
from pathlib import Path

from conftest import SETTINGS

TYPED = "role:str=member, level:int=3, beta:bool=true, org:uuid, since:date=2026-01-31"
#: Four projects that together use every family of answers.
FAMILIES = [
    {},
    {
        "project_name": "Robert \"Bob\" O'Neil's API \\ 내 서비스 🚀",
        "project_slug": "bobs-api",
        "login_field": "email",
        "algorithm": "ES256",
        "auth_header_type": "JWT, Bearer",
        "extra_claims": f"email, full_name, {TYPED}",
        "claims_in": "response",
        "refresh_token_in": "cookie",
        "accounts": "open",
    },
    {
        "access_token_lifetime": "PT1H30M",
        "refresh_token_lifetime": "2w",
        "session_lifetime": "3650 days",
        "algorithm": "RS512",
        "extra_claims": "none",
        "claims_in": "token",
        "refresh_token_in": "cookie",
    },
    {
        "access_token_lifetime": "90 s",
        "refresh_token_lifetime": "2 minutes",
        "session_lifetime": "120s",
        "algorithm": "EdDSA",
        "auth_header_type": "Token",
        "accounts": "open",
        "extra_claims": "id, sub_name=username, email, first_name, last_name, is_staff,"
        " is_superuser, groups, permissions, date_joined, last_login, note:str, n:int,"
        " ok:bool, day:date",
    },
]
LIFETIMES = ("access_token_lifetime", "refresh_token_lifetime", "session_lifetime")
AXES: dict[str, list[dict[str, str]]] = {
    "login": [{"login_field": field} for field in SETTINGS["login_field"]],
    "lifetimes": [
        dict(zip(LIFETIMES, values, strict=True))
        for values in [
            ("5 minutes", "1 day", "30 days"),
            ("1 second", "2 seconds", "2 seconds"),
            ("3649 days", "3650 days", "3650 days"),
        ]
    ],
    "header": [
        {"auth_header_type": name} for name in ("Bearer", "JWT", "Bearer, Token")
    ],
    "claims": [
        {"extra_claims": claims}
        for claims in (
            "none",
            "email",
            f"groups, permissions, {TYPED}",
            "id, date_joined",
        )
    ],
    "claims_in": [{"claims_in": where} for where in SETTINGS["claims_in"]],
    "refresh": [{"refresh_token_in": where} for where in SETTINGS["refresh_token_in"]],
    "accounts": [{"accounts": who} for who in SETTINGS["accounts"]],
}


def pairwise() -> list[dict[str, str]]:
    """Return answers in which every pair of values of two axes occurs together.

    The algorithms take turns, so that each of them occurs as well.
    """
    names = list(AXES)
    indices = [range(len(AXES[name])) for name in names]
    missing = {
        ((a, i), (b, j))
        for a, b in combinations(range(len(names)), 2)
        for i, j in product(indices[a], indices[b])
    }
    rows: list[tuple[int, ...]] = []
    while missing:
        row = max(
            product(*indices),
            key=lambda row: len(missing & set(combinations(enumerate(row), 2))),
        )
        missing -= set(combinations(enumerate(row), 2))
        rows.append(row)
    algorithms = SETTINGS["algorithm"]
    rows += [rows[n % len(rows)] for n in range(len(rows), len(algorithms))]
    return [
        {
            key: value
            for name, index in zip(names, row, strict=True)
            for key, value in AXES[name][index].items()
        }
        | {"algorithm": algorithms[n % len(algorithms)]}
        for n, row in enumerate(rows)
    ]


def code_lines(path: Path) -> int:
    """Count the lines of code: no blank lines, comments and docstrings."""
    text = path.read_text("utf-8")
    ignored = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT}
    ignored |= {tokenize.DEDENT, tokenize.ENDMARKER}
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in ignored:
            code.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() if ast.get_docstring(
                node
            ):
                first = node.body[0]
                code -= set(range(first.lineno, (first.end_lineno or 0) + 1))
    return len(code)
