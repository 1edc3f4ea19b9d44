"""Commands of the surface that this version does not have."""

import typer

from bridge.errors import UsageError, not_yet

_INSTEAD = {
    "plan": "see /metrics of a running mirror",
}


later = typer.Typer(add_completion=False, rich_markup_mode=None)


@later.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def _later(context: typer.Context) -> None:
    """Not in this version yet."""
    name = str(context.info_name)
    raise UsageError(f"kmbridge {name}", not_yet("this command", _INSTEAD[name]))
