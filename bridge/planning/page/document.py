"""The plan as one document of HTML."""

import json
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files
from string import Template

from bridge.planning.offer import Offer
from bridge.planning.page.bars import PARTS, bars
from bridge.planning.page.curves import curves
from bridge.planning.plan import Plan
from bridge.planning.text import facts, priced, told_of
from bridge.planning.wording import money, number, rate
from bridge.telemetry.page.document import source_hash

_STYLE_PLACE = "/* report.css */"


def document(plan: Plan) -> str:
    """Whole by itself. Reads files of the installation: blocks."""
    parts = files(__package__)
    style = parts.joinpath("report.css").read_text("utf-8")
    frame = parts.joinpath("report.html").read_text("utf-8")
    ways = plan.market.ways(dict.fromkeys(side.kind for side in plan.sides))
    filled = Template(frame).substitute(
        policy=f"default-src 'none'; style-src {source_hash(style)}; base-uri 'none'; form-action 'none'",
        mirror=escape(plan.mirror),
        route=escape(f"{plan.source.title} → {plan.sink.title}"),
        summary=_summary(plan),
        bars=bars(_distinct(plan)),
        legend="".join(f'<li class="{part}">{part}</li>' for part in PARTS),
        curves=curves(ways.values(), plan.load, plan.break_evens),
        break_evens=_list(told_of(plan.break_evens)),
        facts=_rows(facts(plan)),
        offers="".join(_offer(each) for each in _distinct(plan)),
        remarks=_list(plan.remarks) or "<p>none</p>",
        policies="".join(_policy(task, policy.document()) for task, policy in plan.policies.items()),
        prices=escape(f"{plan.prices.region}, list prices of {plan.prices.as_of}"),
        sources=_list(plan.prices.sources),
        confirmed=_rows(plan.prices.confirmed.items()),
    )
    return filled.replace(_STYLE_PLACE, style)


def _distinct(plan: Plan) -> Sequence[Offer]:
    """Both sides' and the mirror's; between two of a kind what is the same once."""
    found = {(offer.key, offer.size): offer for side in plan.sides for offer in side.offers}
    return (*found.values(), plan.bridge)


def _summary(plan: Plan) -> str:
    figures = [("Load", rate(plan.load.bytes_per_second)), ("Peak", rate(plan.load.peak_bytes)), *_sums(plan)]
    return "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(told)}</dd></div>" for name, told in figures)


def _sums(plan: Plan) -> Iterator[tuple[str, str]]:
    """What is paid when; or of each side alone, where no way does for the other."""
    owed = plan.bill
    if owed is not None:
        yield "A month before", money(owed.before)
        yield "A month while both run", money(owed.meanwhile)
        yield "A month afterwards", money(owed.after)
        yield "The backfill, once", money(owed.once)
        return
    for side in plan.sides:
        best = side.cheapest
        yield f"{side.role.capitalize()} a month", "none does" if best is None else money(best.cost)


def _offer(offer: Offer) -> str:
    rows = "".join(
        f'<tr><td>{escape(item.what)}</td><td class="number">{number(item.quantity)} {escape(item.unit)}</td>'
        f'<td class="number">${item.rate:.10g}</td><td class="number">{money(item.cost)}</td></tr>'
        for item in offer.items
    )
    kind = ' class="obstacle"' if offer.obstacle else ""
    return (
        f"<details><summary{kind}>{escape(', '.join(filter(None, (priced(offer), offer.size))))}</summary>"
        '<table><thead><tr><th scope="col">for</th><th scope="col" class="number">quantity</th>'
        '<th scope="col" class="number">rate</th><th scope="col" class="number">a month</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></details>"
    )


def _policy(task: str, policy: object) -> str:
    shown = escape(json.dumps(policy, indent=2))
    return f'<details><summary>{escape(task)}</summary><pre tabindex="0">{shown}</pre></details>'


def _rows(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in pairs)


def _list(texts: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(each)}</li>" for each in texts)
    return f"<ul>{items}</ul>" if items else ""
