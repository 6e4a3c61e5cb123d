"""Show what was chosen, and what to type next."""

import json
import os
import shlex
import sys

ANSWERS = json.loads(r""" {{ cookiecutter | answers | tojson }} """)
CHOICES = {k: v or "none" for k, v in json.loads(ANSWERS)["cookiecutter"].items()}
STEPS = {
    "uv run manage.py migrate": "creates the database",
    "uv run manage.py createsuperuser": "creates the first user",
    "uv run manage.py runserver": "serves http://localhost:8000/api/docs/",
    "uv run pytest": "runs the tests",
}
# The environment may tell where the shell is; this process runs somewhere else.
SHELL = os.environ.get("PWD", "")
FOLDER = os.path.relpath(".", SHELL if os.path.isdir(SHELL) else os.path.pardir)
GO = f"cd {shlex.quote(FOLDER)}"
NOTES = []
if int("{{ cookiecutter.access_token_lifetime | seconds }}") > 3600:
    NOTES.append(
        "Note: services that verify access tokens by themselves accept them for "
        f"{CHOICES['access_token_lifetime']}, even after logout."
    )
if CHOICES["algorithm"].startswith("HS"):
    NOTES.append(
        f"Note: with {CHOICES['algorithm']}, anyone who can verify a token can make "
        "one. If other services verify yours, choose a key pair such as ES256."
    )

# cruft also renders into temporary folders, to compare them: nobody reads this there.
if json.loads("{{ ('_output_dir' in cookiecutter) | tojson }}"):
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(show_header=False, title="Your choices")
        for key, choice in CHOICES.items():
            table.add_row(key, Text(choice, "bold"))
        steps = [f"  {command:<33} # {purpose}" for command, purpose in STEPS.items()]
        lines = [*NOTES, "", "Next:", f"  {GO}", *steps, "Without uv, install it:"]
        lines += ["  python3 -m venv .venv && .venv/bin/pip install uv"]
        lines += ["and type .venv/bin/uv instead of uv."]
        Console().print("", table, *map(Text, lines), sep="\n", soft_wrap=True)
    else:
        print(", ".join(f"{key}: {choice}" for key, choice in CHOICES.items()))
        print(*NOTES, f"Next: {GO} && {' && '.join([*STEPS][::2])}", sep="\n")
