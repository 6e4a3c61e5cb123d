"""Show what was chosen, and what to type next."""

import os
import sys

CHOICES = {
    # jinja: for key, value in cookiecutter.items() if not key.startswith("_")
    "{{ key }}": "{{ (value | toml)[1:-1] or 'none' }}",
    # jinja: endfor
}
STEPS = {
    "uv run manage.py migrate": "creates the database",
    "uv run manage.py createsuperuser": "creates the first user",
    "uv run manage.py runserver": "serves http://localhost:8000/api/docs/",
    "uv run pytest": "runs the tests",
}
# The environment may tell where the shell is; this process runs somewhere else.
SHELL = os.environ.get("PWD", "")
FOLDER = os.path.relpath(".", SHELL if os.path.isdir(SHELL) else os.path.pardir)
GO = f"cd {FOLDER}"
if not all(c.isalnum() or c in "./_-" for c in FOLDER):
    import shlex  # only here, since it takes as long to load as Python to start

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
if int("{{ ('_output_dir' in cookiecutter) | int }}"):
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    if sys.stdout.isatty():
        from rich import table, text
        from rich.console import Console

        box = table.Table(show_header=False, title="Your choices")
        for key, choice in CHOICES.items():
            box.add_row(key, text.Text(choice, "bold"))
        steps = [f"  {command:<33} # {purpose}" for command, purpose in STEPS.items()]
        lines = [*NOTES, "", "Next:", f"  {GO}", *steps, "Without uv, install it:"]
        lines += ["  python3 -m venv .venv && .venv/bin/pip install uv"]
        lines += ["and type .venv/bin/uv instead of uv."]
        Console().print("", box, *map(text.Text, lines), sep="\n", soft_wrap=True)
    else:
        print(", ".join(f"{key}: {choice}" for key, choice in CHOICES.items()))
        print(*NOTES, f"Next: {GO} && {' && '.join([*STEPS][::2])}", sep="\n")
