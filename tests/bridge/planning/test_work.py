"""What a record costs the mirror, by its configuration."""

import re
from typing import Any

import pytest

from bridge.config.section import Section
from bridge.config.transforms.filter import FilterTransform
from bridge.config.transforms.headers import HeadersTransform
from bridge.config.transforms.map import MapTransform
from bridge.config.transforms.redact import RedactTransform
from bridge.config.transforms.rekey import RekeyTransform
from bridge.config.transforms.schemas import SchemasTransform
from bridge.planning.work import (
    DEAREST_US,
    FROM_KINESIS_US,
    INTO_KINESIS_US,
    ORIGIN_BYTES,
    REDACT_ANYWHERE_US,
    STEP_US,
    work_of,
    written,
)
from tests.bridge.planning.orders import LOAD, STREAM, TOPIC, mirror, plan
from tests.docs.pages import ROOT

FUNCTION = {"lambda": {"function": "orders-cleaner", "batch": 200}}


@pytest.mark.parametrize(
    ("cpu_us", "row"),
    [
        (FROM_KINESIS_US, "| kmbridge run, exactly once, `provenance: always` |"),
        *((cpu_us, f"| kmbridge run, `{codec}` |") for codec, cpu_us in INTO_KINESIS_US.items()),
    ],
)
def test_what_a_record_costs_is_what_was_measured(cpu_us: float, row: str) -> None:
    """The figure of docs/performance.md, in microseconds of CPU a record."""
    (line, *_) = [line for line in _page("performance").splitlines() if line.startswith(row)]
    assert float(line.split("|")[4]) == cpu_us


@pytest.mark.parametrize(
    ("page", "kind", "row"),
    [
        ("expressions", FilterTransform, r"`filter: value.*"),
        ("expressions", HeadersTransform, r"`headers: .*"),
        ("expressions", RekeyTransform, r".*`rekey: .*"),
        ("expressions", RedactTransform, r"`redact: .*\$\.customer.*"),
        ("expressions", MapTransform, r"`map: \{set.*"),
        ("schemas", SchemasTransform, "zlib undone"),
    ],
)
def test_what_a_step_costs_is_what_was_measured(page: str, kind: type[Section], row: str) -> None:
    """The dearest of its kind on the page that tells of it."""
    found = re.search(rf"^\| {row} \| \**([\d.]+)\** \|$", _page(page), re.MULTILINE)
    assert found is not None
    assert float(found[1]) == STEP_US[kind]


@pytest.mark.parametrize(
    ("steps", "more"),
    [
        ([], 0),
        ([{"filter": "value.n > 1"}, {"rekey": "value.id"}], 24),
        ([{"redact": {"fields": ["$.email"]}}], 12),
        ([{"redact": {"fields": ["$.name", "$..email"]}}], REDACT_ANYWHERE_US),
        ([{"python": "orders:handler", "event": "kinesis"}], 15),
        ([FUNCTION], 15),
    ],
)
def test_every_step_of_the_transforms_is_counted(steps: list[Any], more: float) -> None:
    """Beside the way from end to end; what searches a whole document is dearer."""
    assert work_of(mirror(transforms=steps)).cpu_us == FROM_KINESIS_US + more


def test_a_pair_that_was_not_measured_costs_what_the_dearest_does() -> None:
    """A stream is written by its codec."""
    kpl = work_of(mirror(TOPIC, STREAM)).cpu_us
    raw = work_of(mirror(TOPIC, {"kinesis": {**STREAM["kinesis"], "codec": "raw"}})).cpu_us
    assert (kpl, raw) == (INTO_KINESIS_US["kpl"], INTO_KINESIS_US["raw"])
    copy = {"kafka": {"bootstrap_servers": ["c-1:9092"], "topic": "copy"}}
    assert work_of(mirror(TOPIC, copy)).cpu_us == DEAREST_US


def test_a_function_of_somebody_else_is_told_of_and_not_guessed() -> None:
    """How often Lambda's is called, and how long it may take: 33 lanes of 200 records for 15,000 a second."""
    remarks = plan(transforms=[FUNCTION, {"python": "orders:clean"}]).remarks
    assert any("orders-cleaner is called 65,700,000 times a month" in each for each in remarks)
    assert any("22 lanes keep up" in each and "takes 293 ms" in each for each in remarks)
    assert any("what orders:clean takes is in no figure" in each for each in remarks)


def test_the_mirror_writes_origins_where_the_sink_has_room_for_them() -> None:
    """They take their part of what a shard takes."""
    assert written(mirror(), LOAD).record_bytes == LOAD.record_bytes + ORIGIN_BYTES
    assert written(mirror(provenance="never"), LOAD) == LOAD
    raw = mirror(TOPIC, {"kinesis": {**STREAM["kinesis"], "codec": "raw"}})
    assert written(raw, LOAD) == LOAD


def _page(name: str) -> str:
    return (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")
