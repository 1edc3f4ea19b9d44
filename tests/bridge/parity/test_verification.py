"""What a comparison makes of the mirror's configuration."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from bridge.config import load
from bridge.errors import UsageError
from bridge.parity.verification import OLDEST, side_maker, verify
from connectors.base import Clock


@pytest.mark.parametrize(("asked", "share"), [("", 0.8), (", read_share: 0.4", 0.4), (", read_share: 1.0", 1.0)])
def test_the_mirror_goes_on_reading_beside_a_comparison(tmp_path: Path, asked: str, share: float) -> None:
    """A fifth of a stream's limits is left at both ends, as a backfill does, unless the source says otherwise."""
    file = tmp_path / "orders.yaml"
    file.write_text(
        f"name: orders\nsource: {{kinesis: {{stream: a, region: eu-west-1{asked}}}}}\n"
        "sink: {kinesis: {stream: b, region: eu-west-1}}\n"
    )
    made = side_maker(load([str(file)], environment={}), OLDEST, Clock(), Random(1))
    stream = made.asked.source.kinesis
    assert stream is not None
    assert (stream.read_share, made.read_share) == (share, 0.8)


def test_dual_writes_and_raw_records_are_not_compared_through_transforms(tmp_path: Path) -> None:
    """By key alone nothing tells what a record was made of: that is said before anything is reached."""
    file = tmp_path / "orders.yaml"
    file.write_text(
        "name: orders\nsource: {kinesis: {stream: a, region: eu-west-1}}\n"
        "sink: {kafka: {bootstrap_servers: [nowhere:9092], topic: b}}\n"
        "provenance: never\ntransforms: [{filter: 'true'}]\n"
    )
    with pytest.raises(UsageError, match="provenance: auto"):
        asyncio.run(verify(load([str(file)], environment={})))
