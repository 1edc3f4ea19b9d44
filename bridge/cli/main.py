"""The command ``kmbridge``: its subcommands, and the border at which errors become messages and exit codes."""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer
from typer.core import TyperGroup

from bridge.cli.failure import report
from bridge.cli.lazy import LazyCommand

COMMANDS = {
    "demo": ("bridge.cli.demo:demo", "Mirror between two embedded servers and prove parity."),
    "run": ("bridge.cli.run:run", "Mirror until told to stop."),
    "backfill": ("bridge.cli.backfill:backfill", "Copy a bounded range, and end when exactly that is there."),
    "replay": ("bridge.cli.replay:replay", "Send a range again, beside the mirror."),
    "verify": ("bridge.cli.verify:verify", "Prove that both sides hold the same, or list what differs."),
    "translate": ("bridge.cli.translate:translate", "Find where consumers go on at the other side, and set it."),
    "cutover": ("bridge.cli.cutover:cutover", "Migrate step by step, with a way back until the last."),
    "lane": ("bridge.cli.lane:lane", "Pause, resume, retry or skip one lane of a running mirror."),
    "redrive": ("bridge.cli.redrive:redrive", "Send dead-lettered records again, in order per key."),
    "checkpoints": ("bridge.cli.checkpoints:checkpoints", "See and change where a mirror stands."),
    "fan-out": ("bridge.cli.fan_out:fan_out", "See and remove the consumer of a mirror that subscribes."),
    "plan": ("bridge.cli.plan:plan", "Say what a mirror needs, and what both sides cost."),
    "doctor": ("bridge.cli.doctor:doctor", "Look at everything that a mirror rests on."),
    "status": ("bridge.cli.status:status", "Show a running mirror as it is now, or live."),
    "config": ("bridge.cli.config:config", "Validate a configuration, print its schema or an example."),
}
"""Where each command is, and its line in the help: none is imported before it is called."""


class Commands(TyperGroup):
    """All subcommands, by name."""

    def __init__(self, **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]
        for name, (target, line) in COMMANDS.items():
            self.commands[name] = LazyCommand(name, target, line, unbegun=0 if name == "run" else None)


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"kmbridge {version('kmbridge')}")
        raise typer.Exit


@app.callback()
def kmbridge(
    _: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Mirror records between Amazon Kinesis and Kafka, every key in order, nothing lost.

    Exit codes: 0 done; 1 failed at run time; 2 wrong usage or configuration; 3 an endpoint is unreachable or refuses;
    130/143 forced by a second signal.

    Example: kmbridge run kinesis://eu-west-1/orders kafka://broker:9092/orders
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that ``arguments`` (default: those of the process) name, and leave with its exit code."""
    try:
        app(arguments, prog_name="kmbridge")
    except Exception as error:
        code = report(error)
        if code is None:
            raise
        sys.exit(code)
