"""Runs of records for what folds and orders them."""

from collections.abc import Sequence

from bridge.parity.run import Run


def run(partition: str, numbers: Sequence[int], place: str = "0", keys: int = 5, value: bytes = b"v") -> Run:
    """Records at positions ``numbers``, each of the key that its number has."""
    positions = [str(number) for number in numbers]
    made = [b"key-%d" % (number % keys) for number in numbers]
    return Run(partition, place, positions, positions, made, [b"%b %d" % (value, number) for number in numbers])
