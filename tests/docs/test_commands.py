"""Commands that the pages show, given to the real program, which stops before it does anything."""

from collections.abc import Sequence
from typing import Any

import pytest
from typer.core import TyperCommand

from bridge.cli.main import COMMANDS, app
from bridge.config.configuration import Configuration
from bridge.config.keys import free_keys, known_keys, split_key
from tests.docs.commands import arguments, mentioned_commands, whole_commands
from tests.docs.pages import ROOT


@pytest.fixture
def understood(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The parameters of every command that would have been run."""
    found: list[Any] = []
    monkeypatch.setattr(TyperCommand, "invoke", lambda _, context: found.append(context.params))
    return found


def test_every_command_line_in_the_pages_is_understood(understood: list[Any]) -> None:
    """Command, options and number of arguments are those of the program."""
    commands = whole_commands()
    assert not [
        f"{command.where}: {command.text}: {trouble}"
        for command in commands
        if (trouble := _refusal(arguments(command.text)))
    ]
    assert len(understood) == len(commands)


def test_every_command_that_the_text_names_exists_with_its_options(
    understood: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """The text may leave arguments out: its commands are asked for their help, behind their options."""
    assert not [
        f"{command.where}: {command.text}: {trouble}"
        for command in mentioned_commands()
        if (trouble := _refusal([*arguments(command.text), "--help"]))
    ]
    capsys.readouterr()


def test_every_command_has_a_row_in_the_table_of_commands() -> None:
    """Whoever looks for what there is finds all of it on one page, and once."""
    page = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    assert [command for command in COMMANDS if page.count(f"| `kmbridge {command}` |") != 1] == []


def test_every_key_that_a_command_line_sets_exists(understood: list[Any]) -> None:
    """``--set`` names keys of the configuration."""
    known, free = set(known_keys(Configuration)), set(free_keys(Configuration))
    for command in whole_commands():
        _refusal(arguments(command.text))
    settings = [setting for parameters in understood for setting in parameters.get("settings") or ()]
    paths = [split_key(setting.partition("=")[0], Configuration) for setting in settings]
    assert not [path for path in paths if path not in known and path[:-1] not in free]


def _refusal(words: Sequence[str]) -> str:
    """What the program says of a command line that it does not understand."""
    try:
        app(words, prog_name="kmbridge", standalone_mode=False)
    except Exception as error:  # noqa: BLE001 - typer keeps the class of its refusals to itself
        return str(error) or type(error).__name__
    return ""
