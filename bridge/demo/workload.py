"""The records of the demo: orders of customers, each with the time at which it was sent."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

_ARTICLES = ("espresso machine", "garden hose", "reading lamp", "mountain bike", "box of 12 pencils", "wool blanket")


@dataclass(frozen=True, slots=True)
class Workload:
    records: int
    keys: int

    def calls(self, size: int) -> Iterator[range]:
        """The numbers of the records in stretches of ``size``, one a call."""
        return (range(first, min(first + size, self.records)) for first in range(0, self.records, size))

    def key(self, number: int) -> str:
        return f"customer-{number % self.keys:06}"

    def value(self, number: int) -> bytes:
        """The order of this number, sent now."""
        order = {
            "sent_ns": time.time_ns(),
            "order": f"{number:010}",
            "customer": self.key(number),
            "of_this_customer": number // self.keys + 1,
            "article": _ARTICLES[number * 7 % len(_ARTICLES)],
            "quantity": number % 9 + 1,
            "price": f"{number * 37 % 50_000 / 100:.2f}",
            "address": f"{number % 180 + 1} Harbour Street, 20457 Hamburg",
        }
        return json.dumps(order, separators=(",", ":")).encode()


def sent_ns(value: bytes) -> int:
    """When a record was sent, by the clock of this machine, in nanoseconds since the epoch."""
    return int(json.loads(value)["sent_ns"])
