"""``kmbridge plan``: what a mirror needs and costs, before there is one."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.arguments import Json, Name, Settings, Targets, configuration
from bridge.cli.lazy import lasting
from bridge.cli.output import print_json, print_rows
from bridge.cli.stop import quitting
from bridge.errors import UsageError
from bridge.telemetry.logging import LogFormat, configure_logging
from connectors.aws import told_region
from connectors.base import Clock

if TYPE_CHECKING:
    from bridge.planning import Plan
    from bridge.planning.offer import Offer
    from bridge.planning.plan import Side
    from bridge.planning.prices.table import PriceTable

_ASK_AWS = "aws"
_MOST = 10**12
"""Of a figure: a sum of what is larger would be no number."""
_MOST_GROWTH = 1_000


def _figure(name: str, shown: str, told: str, least: float) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        name, metavar=shown, min=least, max=_MOST, show_default=False, help=told
    )
    return option


def plan(
    targets: Targets,
    name: Name = None,
    settings: Settings = None,
    *,
    records: Annotated[
        float | None, _figure("--records-per-second", "N", "Instead of a measurement: records, on average.", 0)
    ] = None,
    size: Annotated[
        float | None, _figure("--bytes", "N", "Instead of a measurement: of a record's key and value, on average.", 1)
    ] = None,
    peak: Annotated[
        float | None, _figure("--peak-factor", "X", "How many times the mean the busiest minutes have.", 1)
    ] = None,
    readers: Annotated[
        int | None, _figure("--readers", "N", "Applications that read all of it, the mirror not counted.", 0)
    ] = None,
    fan_out: Annotated[
        int | None, _figure("--fan-out-readers", "N", "Those among streams' readers that have enhanced fan-out.", 0)
    ] = None,
    retention: Annotated[float | None, _figure("--retention-hours", "N", "How long records are kept.", 1)] = None,
    headroom: Annotated[
        float, typer.Option(min=0, max=0.9, help="The share of every limit that stays free at the peak.")
    ] = 0.3,
    growth: Annotated[
        float, typer.Option(min=1, max=_MOST_GROWTH, help="How many times this load a topic's partitions are made for.")
    ] = 2.0,
    prices: Annotated[
        str | None,
        typer.Option(metavar="FILE | aws", show_default=False, help="Other prices; aws asks AWS's price list."),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(metavar="REGION", show_default=False, help="Whose prices; default: where the ends are."),
    ] = None,
    save_prices: Annotated[
        Path | None, typer.Option(metavar="FILE", show_default=False, help="Write the table of prices there.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", show_default=False, help="Write the plan as a page there.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what a mirror needs and what both sides cost, with the rights that it takes. Changes nothing.

    The load is measured at the source; --records-per-second and --bytes together ask nobody.

    Example: kmbridge plan orders.yaml --html orders.html
    """
    asked = configuration(targets, name, settings)
    configure_logging(LogFormat(asked.log.format), asked.log.level)
    for path in filter(None, (save_prices, html)):
        _check_writable(path)
    with quitting():
        with lasting():
            # What measures is large, and a wrong command does without it.
            from bridge.planning import Aims, Figures, measured, planned  # noqa: PLC0415
            from bridge.planning.draft import priced_in, region_of  # noqa: PLC0415

        given = Figures(records, size, peak, readers, fan_out, retention)
        # Before anything is measured, so that what is wrong with prices or region is said at once.
        known = region or region_of(asked, given) or told_region(None)
        expected = priced_in(asked, given, known)
        table = _table(prices, expected)
        figures = given if given.are_enough else given.over(asyncio.run(measured(asked, Clock())))
        where = priced_in(asked, figures, known)
        if where != expected:
            table = _table(prices, where)
        made = planned(asked, figures, table, Aims(headroom, growth), where)
    if save_prices is not None:
        _write(save_prices, table.text())
    if html is not None:
        from bridge.planning.page.document import document  # noqa: PLC0415

        _write(html, document(made))
    if as_json:
        print_json(made.to_json())
    else:
        _print(made)


def _table(prices: str | None, region: str) -> "PriceTable":
    from bridge.planning.prices import service, table  # noqa: PLC0415

    if prices == _ASK_AWS:
        return service.asked(table.packaged(), region, Clock().now_ms())
    found = table.packaged() if prices is None else table.read(Path(prices))
    found.rates(region)
    return found


def _check_writable(path: Path) -> None:
    """Before the work is done whose result is to stand there. Raises ``UsageError``."""
    if path.is_dir():
        raise _unwritable(path, "it is a folder")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise _unwritable(path, "permission denied" if path.parent.is_dir() else f"there is no folder {path.parent}")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from error


def _unwritable(path: Path, cause: str) -> UsageError:
    return UsageError(f"write {path}", cause, "name a file that can be written")


def _print(made: "Plan") -> None:
    from bridge.planning.text import facts, told_of  # noqa: PLC0415
    from bridge.planning.wording import counted  # noqa: PLC0415

    print_rows(("needed", ""), list(facts(made)))
    rows = [
        (side.role, offer.title, offer.size, f"{offer.cost:,.2f}" if offer.items else "-", _verdict(side, offer))
        for side in made.sides
        for offer in side.offers
    ]
    bridge = made.bridge
    rows.append(("mirror", bridge.title, bridge.size, f"{bridge.cost:,.2f}", bridge.obstacle))
    print_rows(("side", "way", "size", "USD a month", ""), rows)
    for each in told_of(made.break_evens):
        print(f"break-even: {each}")
    for remark in made.remarks:
        print(f"note: {remark}")
    for task, policy in made.policies.items():
        told = f"{counted(len(policy.actions), 'action')}; --json has the policy" if policy.actions else "none at AWS"
        print(f"rights to {task}: {told}")
    print(f"prices: {made.prices.region}, list prices of {made.prices.as_of}, without taxes and free tiers")


def _verdict(side: "Side", offer: "Offer") -> str:
    told = ("cheapest",) if offer is side.cheapest else ()
    return offer.obstacle or ", ".join((*told, "as it is now") if offer.key == side.way_now else told)
