"""The first chart: what each way costs a month, and what for."""

from collections.abc import Sequence
from typing import get_args

from bridge.planning.offer import Offer, Part
from bridge.planning.page.svg import box, line, picture, text
from bridge.planning.text import priced
from bridge.planning.wording import money

PARTS: tuple[Part, ...] = get_args(Part)
_WIDTH, _LEFT, _RIGHT, _ROW, _BAR = 720, 196, 84, 34, 18
_TOP = 6


def bars(offers: Sequence[Offer]) -> str:
    """A bar for each of ``offers``, in the parts that a bill has."""
    longest = max(offer.cost for offer in offers) or 1.0
    scale = (_WIDTH - _LEFT - _RIGHT) / longest
    pieces = [line(_LEFT, _TOP, _LEFT, _TOP + _ROW * len(offers), "axis-line")]
    for row, offer in enumerate(offers):
        pieces += _bar(offer, _TOP + row * _ROW, scale)
    told = f"Cost of each way: {'; '.join(map(priced, offers))}"
    return picture("bars", told, _WIDTH, _TOP * 2 + _ROW * len(offers), "".join(pieces))


def _bar(offer: Offer, top: float, scale: float) -> list[str]:
    middle = top + _ROW / 2
    pieces = [text(_LEFT - 10, middle + 4, offer.title, "axis", "end")]
    x = float(_LEFT)
    for part in PARTS:
        cost = sum(item.cost for item in offer.items if item.part == part)
        if cost:
            told = f"{offer.title}, {part}: {money(cost)}"
            pieces.append(box(x, middle - _BAR / 2, cost * scale, _BAR, f"part {part}", told))
            x += cost * scale
    ending = "does not do" if offer.obstacle else money(offer.cost)
    return [*pieces, text(x + 8, middle + 4, ending, "value")]
