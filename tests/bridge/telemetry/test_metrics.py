from dataclasses import replace
from threading import Thread

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bridge.engine.status import LaneState, MirrorState, MirrorStatus
from bridge.telemetry import names
from bridge.telemetry.counters import Counters
from bridge.telemetry.metrics import MirrorCollector, registry
from bridge.telemetry.names import MIRROR, PARITY, RETENTION_HEADROOM_SECONDS, Definition
from bridge.telemetry.observed import ObservedMirror
from tests.bridge.telemetry.set_clock import SetClock
from tests.bridge.telemetry.statuses import lane, status

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(*mirrors: ObservedMirror) -> Series:
    text = generate_latest(registry(mirrors, "1.2.3")).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(series: Series, name: str, **labels: str) -> float:
    return series[name, tuple(sorted({"mirror": "orders", **labels}.items()))]


def orders(current: MirrorStatus, counters: Counters | None = None) -> ObservedMirror:
    return ObservedMirror("orders", lambda: current, (counters or Counters()).snapshot)


def test_a_snapshot_becomes_the_documented_metrics() -> None:
    """Every number of the status is found under the name that the documentation gives."""
    series = scrape(orders(status(lane("a"))))
    assert value(series, "kmbridge_records_read_total") == 44
    assert value(series, "kmbridge_bytes_read_total") == 4400
    assert value(series, "kmbridge_records_written_total") == 40
    assert value(series, "kmbridge_bytes_written_total") == 4000
    assert value(series, "kmbridge_skipped_records_total", reason="loop") == 3
    assert value(series, "kmbridge_dead_letter_records_total", reason="too_large") == 1
    assert value(series, "kmbridge_gaps_total") == 2
    assert value(series, "kmbridge_buffered_bytes") == 400
    assert value(series, "kmbridge_lag_seconds", partition="a") == 1.5
    assert value(series, "kmbridge_lag_records", partition="a") == 7
    assert value(series, "kmbridge_checkpoint_age_seconds", partition="a") == 0.25


def test_latency_buckets_are_cumulative_and_end_with_everything() -> None:
    """The histogram is one that Prometheus can compute quantiles from."""
    series = scrape(orders(status()))
    assert value(series, "kmbridge_latency_seconds_bucket", le="0.005") == 5
    assert value(series, "kmbridge_latency_seconds_bucket", le="0.01") == 5
    assert value(series, "kmbridge_latency_seconds_bucket", le="0.025") == 15
    assert value(series, "kmbridge_latency_seconds_bucket", le="300.0") == 15
    assert value(series, "kmbridge_latency_seconds_bucket", le="+Inf") == 16
    assert value(series, "kmbridge_latency_seconds_count") == 16
    assert value(series, "kmbridge_latency_seconds_sum") == 401.5


def test_what_connectors_tell_from_any_thread_is_counted_completely() -> None:
    """No retry, refusal or byte is lost between threads."""
    counters = Counters()

    def tell() -> None:
        for _ in range(1000):
            counters.retried("GetRecords", "timeout")
            counters.throttled("GetRecords")
            counters.compressed(100, 25)

    threads = [Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    series = scrape(orders(status(), counters))
    assert value(series, "kmbridge_retries_total", operation="GetRecords", reason="timeout") == 4000
    assert value(series, "kmbridge_throttled_total", operation="GetRecords") == 4000
    assert value(series, "kmbridge_compressed_ratio") == 0.25


def test_nothing_is_told_of_a_compression_that_did_not_happen() -> None:
    """A ratio of nothing to nothing is no series at all."""
    assert not [name for name, _ in scrape(orders(status())) if name == "kmbridge_compressed_ratio"]


def test_lanes_are_counted_by_every_state() -> None:
    """A state that no lane is in counts zero, so that an alert can rest on it."""
    lanes = (lane("a"), lane("b"), lane("c", LaneState.HELD))
    series = scrape(orders(status(*lanes)))
    counts = {state: value(series, "kmbridge_lanes", state=state.value) for state in LaneState}
    assert counts == dict.fromkeys(LaneState, 0) | {LaneState.RUNNING: 2, LaneState.HELD: 1}


def test_series_of_a_finished_partition_disappear() -> None:
    """After a reshard the old shards' lag and checkpoint age are not scraped any more, the new ones' are."""
    current = status(lane("parent"))
    mirror = ObservedMirror("orders", lambda: current)
    scraped = registry([mirror], "1.2.3")
    before = generate_latest(scraped).decode()
    current = status(lane("parent", LaneState.FINISHED), lane("child"))
    after = generate_latest(scraped).decode()
    assert 'partition="parent"' in before
    assert 'partition="parent"' not in after
    assert 'partition="child"' in after


def test_an_age_that_nobody_knows_is_not_told() -> None:
    """Before the first checkpoint there is no age."""
    young = replace(lane("a"), checkpoint_age_ms=None)
    series = scrape(orders(status(young)))
    assert ("kmbridge_checkpoint_age_seconds", (("mirror", "orders"), ("partition", "a"))) not in series


def test_several_mirrors_share_each_metric_under_their_own_label() -> None:
    """One family a metric, one series a mirror."""
    mirrors = [ObservedMirror(name, status) for name in ("orders", "payments")]
    text = generate_latest(registry(mirrors, "1.2.3")).decode()
    assert text.count("# TYPE kmbridge_records_read_total counter") == 1
    assert 'kmbridge_records_read_total{mirror="orders"}' in text
    assert 'kmbridge_records_read_total{mirror="payments"}' in text


def test_every_metric_is_defined_once_with_a_sentence() -> None:
    """The list is what documentation is made from."""
    found = [*MIRROR, *PARITY]
    assert len({definition.name for definition in found}) == len(found)
    assert sorted(each.name for each in found) == sorted(
        each.name for each in vars(names).values() if isinstance(each, Definition)
    )
    for definition in found:
        assert definition.name.startswith("kmbridge_")
        assert definition.help.endswith(".")


def test_the_room_until_loss_shrinks_while_nobody_reads() -> None:
    """What the source will delete is counted down by the clock, also of a lane whose worker is gone."""
    clock = SetClock()
    held = replace(lane("a", LaneState.HELD), expires_ms=clock.now_ms() + 60_000)
    collector = MirrorCollector([orders(status(held))], "1", clock)
    assert _headroom(collector) == [60.0]
    clock.at_ms += 45_000
    assert _headroom(collector) == [15.0]


def _headroom(collector: MirrorCollector) -> list[float]:
    found = (family for family in collector.collect() if family.name == RETENTION_HEADROOM_SECONDS.name)
    return [sample.value for family in found for sample in family.samples]


def test_the_state_is_one_series_of_one_among_zeros() -> None:
    """An alert on a state has something to compare in every state."""
    series = scrape(orders(status(state=MirrorState.DRAINING)))
    states = {state: value(series, "kmbridge_state", state=state.value) for state in MirrorState}
    assert states == dict.fromkeys(MirrorState, 0) | {MirrorState.DRAINING: 1}


def test_trouble_restarts_and_version_are_told() -> None:
    """What /healthz says and what was started again can be alerted on."""
    mirror = ObservedMirror("orders", status, trouble=lambda: "worker 1 hangs", restarts=lambda: 3)
    series = scrape(mirror)
    assert value(series, "kmbridge_healthy") == 0
    assert value(series, "kmbridge_restarts_total") == 3
    assert value(series, "kmbridge_build_info", version="1.2.3") == 1
