"""The second chart: what each way costs at other loads, and where two cost the same."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from bridge.planning.load import Load
from bridge.planning.market import BreakEven, Even, Pricing
from bridge.planning.page.svg import line, picture, text
from bridge.planning.text import told_of
from bridge.planning.wording import money, rate

_WIDTH, _HEIGHT = 720, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 184, 14, 40
_LEAST, _MOST, _STEPS = 1 / 16, 16.0, 64
_LABEL = 13.0
"""The least between two labels."""


@dataclass(frozen=True, slots=True)
class _Scale:
    """Both axes are logarithmic, so that twice as much is everywhere as far."""

    least: tuple[float, float]
    most: tuple[float, float]

    def x(self, bytes_per_second: float) -> float:
        return _LEFT + self._share(0, bytes_per_second) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, dollars: float) -> float:
        return _HEIGHT - _BOTTOM - self._share(1, dollars) * (_HEIGHT - _TOP - _BOTTOM)

    def has(self, bytes_per_second: float) -> bool:
        return self.least[0] <= bytes_per_second <= self.most[0]

    def decades(self, axis: int) -> Iterator[float]:
        first = math.ceil(math.log10(self.least[axis]))
        for power in range(first, math.floor(math.log10(self.most[axis])) + 1):
            yield 10.0**power

    def _share(self, axis: int, value: float) -> float:
        low, high = math.log(self.least[axis]), math.log(self.most[axis])
        return (math.log(value) - low) / (high - low)


def curves(pricings: Collection[Pricing], load: Load, break_evens: Sequence[BreakEven]) -> str:
    """A curve for each way, today's load as a line across them; a way ends where it does not do any more."""
    points = [list(_points(pricing, load)) for pricing in pricings]
    costs = [cost for each in points for _, cost in each]
    low, high = load.times(_LEAST).bytes_per_second, load.times(_MOST).bytes_per_second
    scale = _Scale((low, min(costs, default=1.0) / 1.3), (high, max(costs, default=1.0) * 1.3))
    pieces = [*_axes(scale), *_today(scale, load)]
    pieces += [_curve(scale, each, number) for number, each in enumerate(points)]
    pieces += _labels(scale, points, [pricing(load).title for pricing in pricings])
    pieces += [_spot(scale, each.at) for each in break_evens if each.at and scale.has(each.at.bytes_per_second)]
    return picture(
        "curves", f"Cost at other loads: {'; '.join(told_of(break_evens))}", _WIDTH, _HEIGHT, "".join(pieces)
    )


def _points(pricing: Pricing, load: Load) -> Iterator[tuple[float, float]]:
    for step in range(_STEPS + 1):
        at = load.times(_LEAST * (_MOST / _LEAST) ** (step / _STEPS))
        offer = pricing(at)
        # What is free has no place on a scale of powers of ten.
        if not offer.obstacle and offer.cost:
            yield at.bytes_per_second, offer.cost


def _axes(scale: _Scale) -> Iterator[str]:
    for dollars in scale.decades(1):
        y = scale.y(dollars)
        yield line(_LEFT, y, _WIDTH - _RIGHT, y, "grid")
        yield text(_LEFT - 8, y + 4, money(dollars), "axis", "end")
    for amount in scale.decades(0):
        x = scale.x(amount)
        yield line(x, _TOP, x, _HEIGHT - _BOTTOM, "grid")
        yield text(x, _HEIGHT - _BOTTOM + 16, rate(amount), "axis", "middle")


def _today(scale: _Scale, load: Load) -> Iterator[str]:
    x = scale.x(load.bytes_per_second)
    yield line(x, _TOP, x, _HEIGHT - _BOTTOM, "today")
    yield text(x, _HEIGHT - 8, f"this load, {rate(load.bytes_per_second)}", "axis", "middle")


def _curve(scale: _Scale, points: Sequence[tuple[float, float]], number: int) -> str:
    path = " ".join(f"{scale.x(amount):.1f},{scale.y(cost):.1f}" for amount, cost in points)
    return f'<polyline points="{path}" class="curve way-{number}"/>'


def _labels(scale: _Scale, points: Sequence[Sequence[tuple[float, float]]], titles: Sequence[str]) -> Iterator[str]:
    """At the right, each beside the end of its curve or as near to it as those above allow."""
    ends = sorted((scale.y(each[-1][1]), number) for number, each in enumerate(points) if each)
    lowest = -math.inf
    for y, number in ends:
        lowest = max(y, lowest + _LABEL)
        yield text(_WIDTH - _RIGHT + 8, lowest + 4, titles[number], f"label way-{number}")


def _spot(scale: _Scale, each: Even) -> str:
    x, y = scale.x(each.bytes_per_second), scale.y(each.monthly_usd)
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="spot"/>'
