"""Attributes as DynamoDB's interface writes them: each with its type."""

from typing import Annotated

import msgspec
from msgspec import Struct, field


class Text(Struct, frozen=True):
    value: str = field(name="S")


class Number(Struct, frozen=True):
    digits: Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]+$")] = field(name="N")

    def __int__(self) -> int:
        return int(self.digits)


class Texts(Struct, frozen=True):
    """A set, in no order."""

    values: tuple[str, ...] = field(name="SS")


def text(value: str) -> dict[str, str]:
    return {"S": value}


def number(value: int) -> dict[str, str]:
    return {"N": str(value)}
