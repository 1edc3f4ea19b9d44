"""Amounts and lists as people write them."""

from collections.abc import Sequence

from bridge.planning.load import GIB, MIB

_FEW, _MANY = 10, 100


def hours(number: float) -> str:
    """``20 min``, ``5 h``, ``3 days``."""
    if number < 1:
        return f"{max(1, round(number * 60))} min"
    return f"{number:.3g} h" if number < 72 else f"{number / 24:.3g} days"


def money(dollars: float) -> str:
    """``$1,234``, cents only where dollars are few."""
    return f"${dollars:,.2f}" if dollars < _FEW else f"${dollars:,.0f}"


def amount(stored_bytes: float) -> str:
    """``402 GB``, or in MB."""
    if stored_bytes < GIB / 10:
        return f"{number(stored_bytes / MIB)} MB"
    return f"{number(stored_bytes / GIB)} GB"


def rate(bytes_per_second: float) -> str:
    """``1.5 MB/s``, or in kB."""
    if bytes_per_second < 100_000:
        return f"{number(bytes_per_second / 1000)} kB/s"
    return f"{number(bytes_per_second / 1e6)} MB/s"


def number(value: float) -> str:
    """Three digits, or all that stand before the point."""
    return f"{value:,.0f}" if value >= _MANY else f"{value:.3g}"


def counted(number: int, noun: str) -> str:
    """``1 shard``, ``2 shards``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
