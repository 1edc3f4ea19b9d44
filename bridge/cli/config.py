"""``kmbridge config``: what can be said about a configuration without running it."""

from importlib.resources import files

import typer

from bridge.cli.arguments import Json, Name, Settings, Targets, configurations
from bridge.cli.failure import WRONG_USAGE
from bridge.cli.output import print_json
from bridge.config import ConfigurationError, Mirrors, Problem
from bridge.config.schema import schema as json_schema

config = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@config.callback()
def _group() -> None:
    """Validate a configuration, print its schema or an example."""


@config.command(epilog="Example: kmbridge config check orders.yaml")
def check(targets: Targets, name: Name = None, settings: Settings = None, as_json: Json = False) -> None:
    """Say whether a configuration is valid, or every mistake in it with its line and key. Connects to nothing."""
    try:
        found = configurations(targets, name, settings)
    except ConfigurationError as error:
        if not as_json:
            raise
        print_json({"valid": False, "problems": [_problem(problem) for problem in error.problems]})
        raise typer.Exit(WRONG_USAGE) from None
    if as_json:
        print_json({"valid": True, **_names(found), "problems": []})
        return
    for each in found.single:
        print(f"valid: mirror {each.name}, {each.source.end.title} to {each.sink.end.title}")
    for family in found.families:
        print(
            f"valid: a mirror for each of {family.pattern}, as {family.sample.source.end.title} "
            f"to {family.sample.sink.end.title}"
        )


@config.command(epilog="Example: kmbridge config schema > kmbridge.schema.json")
def schema() -> None:
    """Print the JSON Schema of a configuration file, for editors."""
    print_json(json_schema())


@config.command(epilog="Example: kmbridge config example > orders.yaml")
def example() -> None:
    """Print a configuration with every key and what it means."""
    print(files("bridge.config").joinpath("example.yaml").read_text(encoding="utf-8"), end="")


def _names(found: Mirrors) -> dict[str, object]:
    if found.alone is not None:
        return {"name": found.alone.name}
    return {"names": [each.name for each in found.single], "patterns": [each.pattern for each in found.families]}


def _problem(problem: Problem) -> dict[str, object]:
    return {"where": problem.where, "line": problem.line, "key": problem.key, "message": problem.message}
