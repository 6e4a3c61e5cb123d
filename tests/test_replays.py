"""Answers in files and from Python: replays, configurations and lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import DEFAULTS, ROOT, SETTINGS, CommandLine
from cookiecutter.exceptions import FailedHookException
from cookiecutter.main import cookiecutter as python_api
from test_prompts import WRONG, chosen, keys, refused


def replay_file(folder: Path, **answers: Any) -> str:
    path = folder / "replay.json"
    path.write_text(json.dumps({"cookiecutter": DEFAULTS | answers}))
    return str(path)


def test_a_project_can_be_replayed_from_its_own_answers(
    cookiecutter: CommandLine, output: Path, tmp_path: Path
) -> None:
    options = [
        'project_name=Robert "Bob" O\'Neil \\ 내 서비스 🚀',
        "extra_claims=a:int=7",
    ]
    assert cookiecutter("--no-input", "project_slug=bob", *options).exit_code == 0
    first = {p: p.read_bytes() for p in (output / "bob").rglob("*") if p.is_file()}
    kept = tmp_path / ".cookiecutter.json"
    (output / "bob" / ".cookiecutter.json").rename(kept)
    assert cookiecutter("-f", "--replay-file", str(kept)).exit_code == 0
    assert {p: p.read_bytes() for p in first} == first


def test_the_last_answers_can_be_replayed(
    cookiecutter: CommandLine, output: Path
) -> None:
    assert cookiecutter("--no-input", "access_token_lifetime=7m").exit_code == 0
    assert cookiecutter("--replay", "-f").exit_code == 0
    assert chosen(output)["access_token_lifetime"] == "7m"


@pytest.mark.parametrize(("key", "wrong", "_", "reason"), WRONG)
def test_a_replay_is_checked_too(
    key: str,
    wrong: str,
    _: str,
    reason: str,
    cookiecutter: CommandLine,
    output: Path,
    tmp_path: Path,
) -> None:
    result = cookiecutter("--replay-file", replay_file(tmp_path, **{key: wrong}))
    assert result.exit_code == 1
    (line,) = result.output.splitlines()
    assert reason in line
    assert list(output.iterdir()) == []


@pytest.mark.parametrize("wrong", [None, 5, True, {"a": 1}, "none", "HS1"])
@pytest.mark.parametrize("key", ["algorithm", "project_slug", "login_field"])
def test_a_replay_holds_no_other_values(
    key: str, wrong: object, cookiecutter: CommandLine, output: Path, tmp_path: Path
) -> None:
    if (key, wrong) == ("project_slug", "none"):
        wrong = "None"
    result = cookiecutter("--replay-file", replay_file(tmp_path, **{key: wrong}))
    assert result.exit_code == 1
    assert result.output.startswith(f"{key}: ")
    assert len(result.output.splitlines()) == 1
    assert list(output.iterdir()) == []


def test_stale_variables_in_a_replay_change_nothing(
    cookiecutter: CommandLine, output: Path, tmp_path: Path
) -> None:
    stale = {"__checked": "{{ 1 / 0 }}", "__old": "x", "_unknown": 1}
    path = replay_file(tmp_path, **stale, _extensions=SETTINGS["_extensions"])
    assert cookiecutter("--replay-file", path).exit_code == 0
    assert chosen(output) == DEFAULTS


def test_the_python_api_raises_one_exception(output: Path) -> None:
    wrong = {"project_slug": "../evil", "extra_claims": "emial"}
    with pytest.raises(FailedHookException) as raised:
        python_api(str(ROOT), no_input=True, extra_context=wrong, output_dir=output)
    assert refused(str(raised.value)) == [*wrong]
    assert list(output.iterdir()) == []


@pytest.mark.parametrize("value", [5, 1.5, True, None, {"a": "b"}])
def test_the_python_api_takes_text_only(value: object, output: Path) -> None:
    with pytest.raises(FailedHookException, match="project_slug"):
        python_api(
            str(ROOT),
            no_input=True,
            extra_context={"project_slug": value},
            output_dir=output,
        )
    assert list(output.iterdir()) == []


def test_the_users_configuration_is_checked_and_may_hold_other_keys(
    cookiecutter: CommandLine, output: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    start = (
        f"replay_dir: {tmp_path}\ndefault_context:\n  full_name: Ada\n  company: X\n"
    )
    config.write_text(f"{start}  access_token_lifetime: 7m\n  algorithm: EdDSA\n")
    result = cookiecutter("--no-input", "--config-file", str(config))
    assert result.exit_code == 0
    found = {"access_token_lifetime": "7m", "algorithm": "EdDSA"}
    assert chosen(output) == DEFAULTS | found
    config.write_text(
        f"{start}  access_token_lifetime: soon\n  extra_claims: '{{{{ x }}}}'"
    )
    result = cookiecutter("--no-input", "-f", "--config-file", str(config))
    assert result.exit_code == 1
    assert refused(result.output) == ["access_token_lifetime", "extra_claims"]


# --- Lists, and answers that an older project lacks


def test_lists_are_joined_and_never_cut(output: Path, tmp_path: Path) -> None:
    """They may be in the user's configuration or in the Python API."""
    listed = ["email", "role:str=member"]
    config = tmp_path / "config.yaml"
    config.write_text(f"default_context:\n  extra_claims: {json.dumps(listed)}\n")
    python_api(
        str(ROOT),
        no_input=True,
        output_dir=str(output),
        accept_hooks=False,
        config_file=str(config),
        extra_context={"auth_header_type": ["Bearer", "JWT"]},
    )
    answers = chosen(output)
    assert answers["extra_claims"] == "email, role:str=member"
    assert answers["auth_header_type"] == "Bearer, JWT"


def test_full_width_answers_are_written_as_meant(
    cookiecutter: CommandLine, output: Path
) -> None:
    typed = keys(access_token_lifetime="１０ minutes", extra_claims="ｅｍａｉｌ")
    assert cookiecutter(keys=typed).exit_code == 0
    assert chosen(output)["access_token_lifetime"] == "10 minutes"
    assert chosen(output)["extra_claims"] == "email"


@pytest.mark.parametrize("way", ["--replay-file", "api"])
def test_a_replay_takes_the_default_of_what_it_lacks(
    cookiecutter: CommandLine, output: Path, tmp_path: Path, way: str
) -> None:
    older = DEFAULTS | {"refresh_token_lifetime": "60 days", "login_field": "email"}
    lacking = ["session_lifetime", "extra_claims", "project_slug", "accounts"]
    for key in (*lacking, "refresh_token_in"):
        del older[key]
    file = tmp_path / "answers.json"
    file.write_text(json.dumps({"cookiecutter": older}))
    if way == "api":
        python_api(str(ROOT), replay=str(file), output_dir=str(output))
    else:
        result = cookiecutter(way, str(file))
        assert result.exit_code == 0, result.output
    assert chosen(output) == {
        **DEFAULTS,
        **older,
        "session_lifetime": "60 days",
        "extra_claims": "email",
    }


def test_a_list_is_not_offered_as_a_choice(
    cookiecutter: CommandLine, output: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    listed = "  extra_claims: [email, groups]\n  auth_header_type: [JWT, [Bearer]]\n"
    config.write_text(f"replay_dir: {tmp_path}\ndefault_context:\n{listed}")
    typed = keys(auth_header_type="\nToken")
    result = cookiecutter("--config-file", str(config), keys=typed)
    assert result.exit_code == 0, result.output
    assert "(email, groups)" in result.output
    assert chosen(output)["extra_claims"] == "email, groups"
    assert chosen(output)["auth_header_type"] == "Token"


@pytest.mark.parametrize("value", ["5", "true", "null", "[]", "{m: 5}", "[[5m]]"])
def test_yaml_that_is_no_answer_is_refused_in_one_line(
    value: str, cookiecutter: CommandLine, output: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    wrong = f"  access_token_lifetime: {value}\n"
    config.write_text(f"replay_dir: {tmp_path}\ndefault_context:\n{wrong}")
    result = cookiecutter("--no-input", "--config-file", str(config))
    assert result.exit_code == 1
    assert refused(result.output) == ["access_token_lifetime"]
    assert list(output.iterdir()) == []


def test_a_replay_takes_the_users_own_defaults(
    cookiecutter: CommandLine, output: Path, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    own = "  accounts: open\n  extra_claims: '{{ cookiecutter }}'\n  claims_in: token\n"
    config.write_text(f"replay_dir: {tmp_path}\ndefault_context:\n{own}")
    older = {key: DEFAULTS[key] for key in ("project_name", "extra_claims")}
    file = tmp_path / "answers.json"
    file.write_text(json.dumps({"cookiecutter": older}))
    options = ["--config-file", str(config), "--replay-file", str(file)]
    assert cookiecutter(*options).exit_code == 0
    assert chosen(output) == DEFAULTS | {"accounts": "open", "claims_in": "token"}
    del older["extra_claims"]
    file.write_text(json.dumps({"cookiecutter": older}))
    result = cookiecutter(*options, "-f")
    assert refused(result.output) == ["extra_claims"]


def test_cookiecutters_own_replay_of_an_older_template_works(
    cookiecutter: CommandLine, output: Path, tmp_path: Path
) -> None:
    """It has the older settings, so cookiecutter asks the new questions itself."""
    older = {k: v for k, v in DEFAULTS.items() if k not in ("accounts", "claims_in")}
    settings = {
        "__checked": "",
        "_copy_without_render": ["config/jwt.py", "tokens/*"],
        "_extensions": ["jwt_answers.AnswersExtension"],
        "_jinja2_env_vars": SETTINGS["_jinja2_env_vars"],
        "_template": "gh:OWNER/older",
    }
    file = tmp_path / "replay.json"
    file.write_text(json.dumps({"cookiecutter": older | settings}))
    result = cookiecutter("--replay-file", str(file), keys="\n2\n")
    assert result.exit_code == 0, result.output
    assert chosen(output) == DEFAULTS | {"accounts": "open"}
    assert "{{" not in (output / "my_api" / "config" / "jwt.py").read_text("utf-8")
