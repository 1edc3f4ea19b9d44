"""The id that a record carries on both sides of a dual write: ``WRITER/NUMBER``.

``WRITER`` names a spool, for its whole life; ``NUMBER`` counts its records from 1, in the order in which the
application sent them. So the numbers of a key rise on either side, and one id is never given to two records.
"""

from collections.abc import Iterable

from connectors.base import DUAL_WRITE_HEADER, Header

DualWriteId = tuple[str, int]


def text(writer: str, number: int) -> str:
    return f"{writer}/{number}"


def parse(text: bytes) -> DualWriteId:
    """Raises ``ValueError`` for what is none."""
    writer, slash, number = text.decode().rpartition("/")
    if not slash or not writer or not number.isdecimal():
        raise ValueError(f"no id of a dual write: {text!r}")
    return writer, int(number)


def of(headers: Iterable[Header]) -> DualWriteId | None:
    """The id among ``headers``; None where there is none, or none that makes sense."""
    for name, value in headers:
        if name == DUAL_WRITE_HEADER and value is not None:
            try:
                return parse(value)
            except ValueError:
                return None
    return None
