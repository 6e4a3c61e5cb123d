"""The answers in cookiecutter: people are asked again, everything else is refused.

Cookiecutter loads :class:`AnswersExtension`, at the end, into its Jinja environments.
``jwt_answers`` decides what is accepted.
"""

from __future__ import annotations

import inspect
import re
import shutil
import sys
from types import SimpleNamespace
from typing import Any

import click
from cookiecutter.cli import main as command_line
from cookiecutter.exceptions import FailedHookException
from jinja2 import Environment
from jinja2.ext import Extension
from jinja2.runtime import Context
from rich.prompt import Prompt

import jwt_answers
from jwt_answers import FILTERS, KEYS, SETTINGS, nearest, normalize, quote, refusal

PROJECT = jwt_answers.HERE / "{{cookiecutter.project_slug}}"
JINJA = re.compile(rb"\{[{%#]|# jinja:")


def default(offer: Any, answers: dict[str, Any]) -> Any:
    """Return the answer that Enter gives to a question with this offer.

    Only texts of the template are Jinja, and can depend on other answers.
    """
    offer = offer[0] if isinstance(offer, list) else offer
    if offer not in SETTINGS.values():
        return offer
    plain = Environment()  # noqa: S701 - these texts are not HTML
    plain.filters.update(FILTERS)
    return plain.from_string(offer).render(cookiecutter=answers)


def ask_again(key: str, answers: dict[str, Any]) -> str:
    """Tell the person why an answer is refused, and return the next one."""
    if not sys.stdin.isatty():  # nobody typed an Enter that ends the prompt's line
        click.echo()
    line = f"  {refusal(key, answers, longest=98)}"
    if sys.stdout.isatty() and len(line) > shutil.get_terminal_size().columns:
        line = line.replace(". Write ", ".\n  Write ")
    click.secho(line, fg="red")
    enter = default(SETTINGS[key], answers)
    offered = ... if refusal(key, {**answers, key: enter}) else enter
    number = f"  [dim][{KEYS.index(key) + 1}/{len(KEYS)}][/]"
    question = f"{number} {SETTINGS['__prompts__'][key]}"
    return str(Prompt.ask(question, default=offered))


def review(answers: dict[str, Any]) -> None:
    """Ask the person at the prompt to correct wrong answers, or refuse them.

    Cookiecutter renders the default of a question when the previous one is answered, so
    a person is asked again immediately. Otherwise all wrong answers are refused
    together when the last one is known, which is before any folder is created.
    """
    call = click.get_current_context(silent=True)
    given = call.params if call and call.command is command_line else {}
    person = given and not any(given[k] for k in ("no_input", "replay", "replay_file"))
    wrong = [
        f"{quote(key)[1:-1]}: {quote(value)} answers no question"
        f"{nearest(key, KEYS)}. Write {', '.join(KEYS)}, such as login_field=email."
        for key, value in (given.get("extra_context") or {}).items()
        if key not in KEYS
    ]
    asking = person and not wrong
    for key in (key for key in KEYS if key in answers):
        while (why := refusal(key, answers)) and asking:
            answers[key] = ask_again(key, answers)
        wrong += [why] if why else []
        answers[key] = answers[key] if why else normalize(key, answers[key])
    if wrong and (person or all(key in answers for key in KEYS)):
        raise FailedHookException("\n".join(wrong))


def copied() -> list[str]:
    """Return the files that cookiecutter copies, since rendering takes much longer.

    They are those without Jinja, and those in ``cookiecutter.json``, whose own
    language looks like Jinja. Conditional names have to be rendered.
    """
    files = [path for path in PROJECT.rglob("*") if path.is_file()]
    names = {str(path.relative_to(PROJECT)): path.read_bytes() for path in files}
    plain = [n for n, text in names.items() if not JINJA.search(n.encode() + text)]
    return [*SETTINGS["_copy_without_render"], *plain]


class CheckedContext(Context):
    """The variables of one rendering, with the answers among them checked."""

    def __init__(self, environment: Environment, *args: Any, **kwargs: Any) -> None:
        """Check the answers, if these are the variables of a template."""
        super().__init__(environment, *args, **kwargs)
        answers = self.parent.get("cookiecutter")
        if isinstance(answers, dict) and answers != environment.globals.get("reviewed"):
            review(answers)
            environment.globals["reviewed"] = dict(answers)


def at_hand(module: str) -> dict[str, Any] | None:
    """Return the variables that a module of cookiecutter is working on, if it is.

    Extensions get them only after it has read them itself, taken a list for a choice,
    and asked for what a replay lacks.
    """
    frame = inspect.currentframe()
    while frame:
        context = frame.f_locals.get("context", {})
        if frame.f_globals.get("__name__") == f"cookiecutter.{module}" and context:
            return context["cookiecutter"]  # type: ignore[no-any-return]
        frame = frame.f_back
    return None


def complete(asked: dict[str, Any], known: dict[str, Any] | None) -> None:
    """Join the lists among the answers, and give a replay the defaults it lacks."""
    for key in (key for key in KEYS if key in asked):
        if isinstance(asked[key], list):
            asked[key] = normalize(key, asked[key])
        if known is not None and known is not asked:
            known[key] = default(asked.pop(key), known)


class AnswersExtension(Extension):
    """Adds the checks and the filters to cookiecutter's Jinja environments."""

    # Cookiecutter renders defaults, and also the answers that replace them on the
    # command line, in files and in the Python API. Only files, which have a name, and
    # these texts of the template are Jinja. An answer is literal text and never runs.
    own = frozenset(
        ["{{cookiecutter.project_slug}}"]
        + [str(path.relative_to(PROJECT)) for path in PROJECT.rglob("*{%*")]
        + [value for value in SETTINGS.values() if isinstance(value, str)]
        + [hook.read_text("utf-8") for hook in jwt_answers.HERE.glob("hooks/*.py")]
    )

    def __init__(self, environment: Environment) -> None:
        """Set up the environment."""
        super().__init__(environment)
        environment.context_class = CheckedContext
        environment.filters.update(FILTERS)
        complete(at_hand("prompt") or {}, at_hand("main"))
        rendering = at_hand("generate")
        if rendering and not at_hand("hooks"):
            rendering["_copy_without_render"] = copied()
            # Cookiecutter gives it a text and calls only ``render`` of what it returns.
            environment.from_string = self.from_string  # type: ignore[assignment]
        # ``cruft update`` renders an older and a newer template in one process, and
        # each has to import its own version of these modules.
        for module in (__name__, jwt_answers.__name__):
            sys.modules.pop(module, None)

    def from_string(self, source: str) -> Any:
        """Return a template; to compile the name of each file takes much longer."""
        if source.isprintable() and not {"{", "#"} & {*source}:
            return SimpleNamespace(render=lambda **_: source)
        return Environment.from_string(self.environment, source)

    def preprocess(self, source: str, name: str | None, file: str | None = None) -> str:
        """Turn every text that does not belong to the template into a literal."""
        if name or source in self.own:
            return source
        return '{{ "' + "".join(f"\\U{ord(c):08x}" for c in source) + '" }}'
