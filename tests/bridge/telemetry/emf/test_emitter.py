from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from bridge.engine.status import LATENCY_BOUNDS_S, LaneState, Latency, MirrorStatus
from bridge.telemetry.counters import Counters
from bridge.telemetry.emf import EmfSettings
from bridge.telemetry.emf.emitter import Emitter
from bridge.telemetry.observed import ObservedMirror
from tests.bridge.telemetry.emf.schema import check
from tests.bridge.telemetry.set_clock import SetClock
from tests.bridge.telemetry.statuses import lane, status

Document = dict[str, Any]


class Told:
    """A mirror whose status a test changes, and what is emitted of it: each document checked by the format."""

    def __init__(self, settings: EmfSettings | None = None, current: MirrorStatus | None = None) -> None:
        self.clock = SetClock()
        self.counters = Counters()
        self.status = current or status(lane("a"), lane("b"))
        mirror = ObservedMirror("orders", lambda: self.status, self.counters.snapshot)
        self.emitter = Emitter(settings or EmfSettings(), [mirror], self.clock)

    def documents(self) -> list[Document]:
        lines = [msgspec.json.encode(each) for each in self.emitter.documents()]
        found: list[Document] = [msgspec.json.decode(line) for line in lines]
        for document, line in zip(found, lines, strict=True):
            check(document, line)
        return found

    def metric(self, name: str, **labels: str) -> Any:
        """Its value under ``mirror`` and ``labels``, of what is emitted now."""
        return values(self.documents(), name, **labels)


def values(documents: list[Document], name: str, **labels: str) -> Any:
    wanted = {"mirror": "orders", **labels}
    (found,) = [
        document[name]
        for document in documents
        if name in document and any({key: document[key] for key in keys} == wanted for keys in _sets(document))
    ]
    return found


def _sets(document: Document) -> Iterator[list[str]]:
    for directive in document["_aws"]["CloudWatchMetrics"]:
        yield from directive["Dimensions"]


def test_every_document_is_one_that_cloudwatch_takes() -> None:
    """By its JSON schema and the limits in its text, with everything that a mirror can tell."""
    settings = EmfSettings(per_partition=True, dimensions={f"extra{number}": "x" for number in range(6)})
    told = Told(settings, status(*(lane(f"shardId-{number:012}") for number in range(250))))
    for operation in ("GetRecords", "PutRecords"):
        told.counters.retried(operation, "timeout")
        told.counters.throttled(operation)
        told.counters.compressed(100, 25)
    assert len(told.documents()) > 250


def test_the_time_is_that_of_the_moment() -> None:
    """Milliseconds since the epoch, as CloudWatch files them."""
    told = Told()
    assert {document["_aws"]["Timestamp"] for document in told.documents()} == {told.clock.at_ms}


def test_counters_are_told_as_what_they_grew_by() -> None:
    """The sum over any period in CloudWatch is then what happened in it, also with several processes."""
    told = Told()
    assert told.metric("kmbridge_records_written_total") == 40
    assert told.metric("kmbridge_records_written_total") == 0
    told.status = replace(told.status, records_written=47)
    assert told.metric("kmbridge_records_written_total") == 7


def test_a_counter_that_begins_anew_counts_from_there() -> None:
    """A mirror of a fleet that went and came again takes nothing off."""
    told = Told()
    told.documents()
    told.status = replace(told.status, records_written=5)
    assert told.metric("kmbridge_records_written_total") == 5


def test_a_counter_with_labels_is_there_for_each_value_and_for_all() -> None:
    """An alarm on all dead letters need not know their reasons."""
    documents = Told().documents()
    assert values(documents, "kmbridge_dead_letter_records_total") == 1
    assert values(documents, "kmbridge_dead_letter_records_total", reason="too_large") == 1


def test_lanes_in_a_state_are_a_metric_of_their_own() -> None:
    """Also those of states in which none is: an alarm has data."""
    documents = Told(current=status(lane("a"), lane("b", LaneState.FAILED))).documents()
    assert values(documents, "kmbridge_lanes", state="failed") == 1
    assert values(documents, "kmbridge_lanes", state="held") == 0


def test_partitions_are_values_of_one_metric() -> None:
    """Its maximum is that of the worst partition, and it costs as much as one metric."""
    late = replace(lane("b"), lag_ms=90_000)
    documents = Told(current=status(lane("a"), late)).documents()
    assert values(documents, "kmbridge_lag_seconds") == [1.5, 90.0]
    assert not [document for document in documents if "partition" in document]


def test_partitions_are_metrics_of_their_own_where_that_is_asked_for() -> None:
    """Beside those over all, so that alarms stay as they are."""
    documents = Told(EmfSettings(per_partition=True)).documents()
    assert values(documents, "kmbridge_lag_seconds", partition="a") == 1.5
    assert values(documents, "kmbridge_lag_seconds") == [1.5, 1.5]


def test_many_partitions_are_spread_over_documents() -> None:
    """A metric has at most 100 values in each, and none is left out."""
    documents = Told(current=status(*(lane(str(number)) for number in range(250)))).documents()
    told = [document["kmbridge_lag_seconds"] for document in documents if "kmbridge_lag_seconds" in document]
    assert [len(part) for part in told] == [100, 100, 50]


def test_latencies_are_told_by_values_that_stand_for_all() -> None:
    """CloudWatch makes percentiles of them; only what came since the last time counts."""
    told = Told(current=status())
    told.documents()
    counts = [0] * (len(LATENCY_BOUNDS_S) + 1)
    counts[3], counts[8] = 9_000, 1_000
    before = told.status.latency
    after = tuple(old + new for old, new in zip(before.counts, counts, strict=True))
    told.status = replace(told.status, latency=Latency(after, before.sum_s))
    latencies = told.metric("kmbridge_latency_seconds")
    assert len(latencies) == 100
    assert latencies == sorted(latencies)
    assert sum(0.025 <= value <= 0.05 for value in latencies) == 90
    assert sum(1.0 <= value <= 2.5 for value in latencies) == 10


def test_without_records_there_is_no_latency() -> None:
    """Silence is not told as zero."""
    told = Told()
    told.documents()
    assert not [document for document in told.documents() if "kmbridge_latency_seconds" in document]


def test_a_mirror_that_is_gone_is_not_told_of() -> None:
    """A fleet's mirrors come and go."""
    mirrors = [ObservedMirror("orders", status)]
    emitter = Emitter(EmfSettings(), mirrors, SetClock())
    assert emitter.documents()
    mirrors.clear()
    assert not emitter.documents()
