"""The questions at the prompt and on the command line, and what is said at the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import DEFAULTS, KEYS, ROOT, SETTINGS, CommandLine


def chosen(output: Path) -> dict[str, str]:
    """Return the answers of the only project in the folder."""
    (project,) = output.iterdir()
    found: dict[str, str] = json.loads((project / ".cookiecutter.json").read_text())[
        "cookiecutter"
    ]
    assert project.name == found["project_slug"]
    return found


def keys(*wrong: str, **typed: str) -> str:
    """Return what a person types: Enter for each question without an answer."""
    return "".join(f"{typed.get(key, '')}\n" for key in KEYS)


def refused(printed: str) -> list[str]:
    """Return the keys of the answers that the lines refuse."""
    return [line.partition(": ")[0] for line in printed.splitlines()]


# --- At the prompt


def test_enter_takes_every_default(cookiecutter: CommandLine, output: Path) -> None:
    result = cookiecutter(keys=keys())
    assert result.exit_code == 0
    assert chosen(output) == DEFAULTS


def test_every_question_is_asked_with_its_text(cookiecutter: CommandLine) -> None:
    shown = " ".join(cookiecutter(keys=keys()).output.split())
    for number, key in enumerate(KEYS, 1):
        prompt = SETTINGS["__prompts__"][key]
        labels = [prompt] if isinstance(prompt, str) else list(prompt.values())
        assert f"[{number}/{len(KEYS)}]" in shown
        assert all(" ".join(label.split()) in shown for label in labels)


def test_every_choice_has_a_label() -> None:
    for key in KEYS:
        prompt = SETTINGS["__prompts__"][key]
        if isinstance(SETTINGS[key], list):
            assert [*prompt] == ["__prompt__", *SETTINGS[key]]
            for choice in SETTINGS[key]:
                assert prompt[choice].startswith(f"{choice}: ")


def test_defaults_follow_earlier_answers(
    cookiecutter: CommandLine, output: Path
) -> None:
    typed = keys(
        project_name="내 서비스", login_field="2", refresh_token_lifetime="60d"
    )
    assert cookiecutter(keys=typed).exit_code == 0
    assert chosen(output) == DEFAULTS | {
        "project_name": "내 서비스",
        "project_slug": "nae_seobiseu",
        "login_field": "email",
        "refresh_token_lifetime": "60d",
        "session_lifetime": "60d",
        "extra_claims": "email",
    }


WRONG = [
    ("project_name", "{{ API }}", "API", "the Jinja mark {{"),
    ("project_name", "a" * 81, "API", "81 characters"),
    ("project_slug", "../evil", "evil", "contains '.'"),
    ("project_slug", "django", "my_django", "a package the project needs"),
    ("access_token_lifetime", "5 potatoes", "5 m", "has the unknown unit potatoes"),
    (
        "refresh_token_lifetime",
        "5 minutes",
        "6 minutes",
        "is not longer than the access token's 5 minutes",
    ),
    (
        "session_lifetime",
        "1 hour",
        "1 day",
        "is shorter than the refresh token's 1 day",
    ),
    ("auth_header_type", "Bearer:", "JWT", "'Bearer:' is not an HTTP token"),
    ("extra_claims", "emial", "none", "did you mean email?"),
]


@pytest.mark.parametrize(("key", "wrong", "right", "reason"), WRONG)
def test_a_wrong_answer_is_explained_and_asked_again_at_once(
    key: str,
    wrong: str,
    right: str,
    reason: str,
    cookiecutter: CommandLine,
    output: Path,
) -> None:
    result = cookiecutter(keys=keys(**{key: f"{wrong}\n{wrong}\n{right}"}))
    assert result.exit_code == 0, result.output
    assert chosen(output)[key] == right
    explained = [line for line in result.output.splitlines() if reason in line]
    assert len(explained) == 2
    assert all(line.startswith(f"  {wrong!r:.20}") for line in explained)
    assert all(len(line) <= 100 and ", such as " in line for line in explained)
    # The same question comes again before the next one.
    number, following = (f"[{KEYS.index(key) + n}/{len(KEYS)}]" for n in (1, 2))
    assert result.output.count(number) == 3
    assert result.output.rindex(explained[0]) < result.output.index(following)


def test_enter_takes_the_default_when_asked_again(
    cookiecutter: CommandLine, output: Path
) -> None:
    typed = keys(
        project_name="Shop",
        project_slug="My Shop\n",
        access_token_lifetime="soon\n",
        login_field="2",
        extra_claims="emial\n",
    )
    assert cookiecutter(keys=typed).exit_code == 0
    answers = {"project_name": "Shop", "project_slug": "shop"}
    answers |= {"login_field": "email", "extra_claims": "email"}
    assert chosen(output) == DEFAULTS | answers


def test_a_default_that_would_be_wrong_is_not_offered_again(
    cookiecutter: CommandLine, output: Path
) -> None:
    typed = keys(access_token_lifetime="2 days", refresh_token_lifetime="\n\n3 days")
    result = cookiecutter(keys=typed)
    assert result.exit_code == 0
    assert chosen(output)["refresh_token_lifetime"] == "3 days"
    assert result.output.count("(1 day)") == 1


def test_claims_that_clash_with_the_response_are_asked_again_last(
    cookiecutter: CommandLine, output: Path
) -> None:
    typed = keys(extra_claims="access=email", claims_in="3\nmail=email\n")
    result = cookiecutter(keys=typed)
    assert result.exit_code == 0
    assert result.output.count("in the login response already") == 1
    assert chosen(output)["extra_claims"] == "mail=email"
    assert chosen(output)["claims_in"] == "response"


def test_a_wrong_default_from_the_command_line_is_asked_again(
    cookiecutter: CommandLine, output: Path
) -> None:
    result = cookiecutter(
        "access_token_lifetime={{ 1 / 0 }}", keys=keys(access_token_lifetime="\n6m")
    )
    assert result.exit_code == 0, result.output
    assert chosen(output)["access_token_lifetime"] == "6m"


def test_the_end_of_input_ends_generation(
    cookiecutter: CommandLine, output: Path
) -> None:
    result = cookiecutter(keys="My API\nMy Slug\n")
    assert result.exit_code == 1
    assert "Aborted" in result.output
    assert list(output.iterdir()) == []


# --- On the command line


@pytest.mark.parametrize(("key", "wrong", "_", "reason"), WRONG)
def test_a_wrong_answer_ends_generation_with_one_line(
    key: str, wrong: str, _: str, reason: str, cookiecutter: CommandLine, output: Path
) -> None:
    result = cookiecutter("--no-input", f"{key}={wrong}")
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    (line,) = result.output.splitlines()
    assert line.startswith(f"{key}: {wrong!r}")
    assert reason in line
    assert ". Write " in line
    assert ", such as " in line
    assert list(output.iterdir()) == []


BAD = {
    "project_name": [
        "",
        " ",
        "a\nb",
        "a\0b",
        "\u202egnp",
        "{%x%}",
        "{# x #}",
        "a" * 300,
    ],
    "project_slug": ["", "My API", "a" * 300, "/x/y", "..", "a/../b", "1a", "a.b"],
    "access_token_lifetime": ["0", "-5m", "1e9d", "NaN", "5", "", "0s", "3650 days"],
    "refresh_token_lifetime": ["1m", "5m", "99999999999999999999 days", "1 month"],
    "session_lifetime": ["1h", "forever", "P1Y", "3651d"],
    "auth_header_type": ["Bea rer", "a\r\nX-Admin: 1", "", ",", "jwt,JWT", "é"],
    "extra_claims": [
        *("exp", "email,email", "password", "role:text", "level:int=high"),
        *("groups:str", "class:str", "email,", "access=email", "a:str={{ 1 }}"),
    ],
}


@pytest.mark.parametrize(
    ("key", "wrong"), [(key, wrong) for key, all_ in BAD.items() for wrong in all_]
)
def test_bad_input_is_one_clear_line(
    key: str, wrong: str, cookiecutter: CommandLine, output: Path
) -> None:
    result = cookiecutter("--no-input", f"{key}={wrong}")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0].startswith(f"{key}: '")
    # A lifetime that is too long for the next one's default makes that wrong as well.
    assert all("lifetime" in line for line in lines[1:])
    assert list(output.iterdir()) == []


def test_all_wrong_answers_are_refused_together(
    cookiecutter: CommandLine, output: Path
) -> None:
    wrong = {key: value for key, value, _, _ in WRONG}
    wrong |= {"refresh_token_lifetime": "1 year", "session_lifetime": "for ever"}
    result = cookiecutter("--no-input", *(f"{k}={v}" for k, v in wrong.items()))
    assert result.exit_code == 1
    assert refused(result.output) == [*wrong]
    assert list(output.iterdir()) == []


@pytest.mark.parametrize("asked", [True, False])
def test_an_unknown_key_is_refused_with_the_nearest(
    asked: bool, cookiecutter: CommandLine, output: Path
) -> None:
    options = ["acess_token_lifetime=5m"] + ["--no-input"] * (not asked)
    result = cookiecutter(*options, keys="")
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert line.startswith("acess_token_lifetime: '5m' answers no question")
    assert "did you mean access_token_lifetime?" in line
    assert list(output.iterdir()) == []


@pytest.mark.parametrize("key", ["__checked", "__prompts__", "x\ny", ""])
def test_only_questions_can_be_answered(
    key: str, cookiecutter: CommandLine, output: Path
) -> None:
    result = cookiecutter("--no-input", f"{key}=[]", "login_field=email")
    assert result.exit_code == 1
    assert "answers no question" in result.output
    assert len(result.output.splitlines()) == 1
    assert list(output.iterdir()) == []


def test_unknown_keys_are_refused_together_with_wrong_answers(
    cookiecutter: CommandLine,
) -> None:
    result = cookiecutter("--no-input", "project_slug=..", "colour=blue")
    assert refused(result.output) == ["colour", "project_slug"]


def test_answers_are_stripped(cookiecutter: CommandLine, output: Path) -> None:
    options = ["project_name= My API ", "access_token_lifetime= 6m", "extra_claims= "]
    assert cookiecutter("--no-input", *options).exit_code == 0
    found = chosen(output)
    assert [found[o.partition("=")[0]] for o in options] == ["My API", "6m", ""]


@pytest.mark.parametrize(
    "answer",
    [
        "{{ cookiecutter.project_name.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__.os.system('touch ran') }}",
        "{% for x in () %}",
        "{{ 1 / 0 }}",
        "{{",
        "{#",
    ],
)
@pytest.mark.parametrize("key", list(BAD))
def test_jinja_in_an_answer_never_runs(
    answer: str, key: str, cookiecutter: CommandLine, output: Path
) -> None:
    result = cookiecutter("--no-input", f"{key}={answer}")
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert "the Jinja mark" in line
    assert list(output.iterdir()) == []
    assert not Path("ran").exists()


# --- The last words


def generate(output: Path, *options: str) -> str:
    """Run the real command line with its hook, and return its output."""
    command = [sys.executable, "-m", "cookiecutter", str(ROOT), "--no-input", *options]
    # Cookiecutter leaves the hook it has run in the folder for temporary files.
    folders = {"PWD": str(output), "TMPDIR": str(output.parent)}
    environment = os.environ | folders | {"PYTHONUTF8": "1"}
    done = subprocess.run(
        command, cwd=output, env=environment, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def test_generation_ends_with_the_choices_and_the_next_steps(output: Path) -> None:
    printed = generate(output, "project_name=Say \"hi\" '''; 내 🚀", "project_slug=hi")
    assert "Say \"hi\" '''; 내 🚀" in printed
    assert "cd hi && uv run manage.py migrate && uv run manage.py" in printed
    assert "ES256" in printed
    assert len(printed.splitlines()) <= 5


def test_unusual_choices_are_noted(output: Path) -> None:
    printed = generate(
        output, "access_token_lifetime=2h", "algorithm=ES256", "-o", "sub"
    )
    assert "for 2h, even after logout" in printed
    assert "one secret" not in printed
    assert "cd sub/my_api" in printed
