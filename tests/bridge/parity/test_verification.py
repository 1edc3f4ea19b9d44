"""What a comparison makes of the mirror's configuration."""

from pathlib import Path
from random import Random

import pytest

from bridge.config import load
from bridge.parity.verification import OLDEST, side_maker
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
