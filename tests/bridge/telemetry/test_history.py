from dataclasses import replace

from bridge.telemetry.history import EVERY_S, Histories, History, Sample
from bridge.telemetry.observed import ObservedMirror
from tests.bridge.telemetry.page.busy_mirror import SteppedClock
from tests.bridge.telemetry.statuses import STARTING, lane, status


def test_rates_are_of_the_time_between_two_looks() -> None:
    """Counted from the totals, whatever the engine's own rate says."""
    history = History()
    history.add(replace(STARTING, records_written=100, bytes_written=1000), now_s=10.0, now_ms=10_000)
    history.add(replace(STARTING, records_written=150, bytes_written=2000), now_s=14.0, now_ms=14_000)
    assert history.between(0, history.count) == (Sample(14_000, 12.5, 250.0, 0),)


def test_the_lag_is_that_of_the_lane_which_is_furthest_behind() -> None:
    """One that is late is not hidden by a hundred that are not."""
    history = History()
    for second in (0.0, 5.0):
        history.add(status(lane("a"), replace(lane("b"), lag_ms=90_000)), second, round(second * 1000))
    assert history.between(0, history.count)[-1].lag_ms == 90_000


def test_an_hour_is_kept_and_no_more() -> None:
    """However long the process runs."""
    history = History()
    for number in range(2000):
        history.add(replace(STARTING, records_written=number), number * EVERY_S, round(number * EVERY_S * 1000))
    kept = history.between(0, history.count)
    assert len(kept) == 3600 / EVERY_S
    assert kept[-1].time_ms - kept[0].time_ms == (3600 - EVERY_S) * 1000
    assert history.between(history.count - 2, history.count) == kept[-2:]
    assert history.between(history.count, history.count) == ()


def test_totals_that_a_killed_worker_took_along_are_no_negative_rate() -> None:
    """What is on the chart never lies below nothing."""
    history = History()
    for second, records in ((0.0, 100), (5.0, 80)):
        history.add(replace(STARTING, records_written=records), second, round(second * 1000))
    assert history.between(0, history.count)[0].records_per_second == 0.0


def test_a_mirror_that_is_no_more_leaves_nothing_behind() -> None:
    """And one that comes later begins its own hour."""
    clock, mirrors = SteppedClock(), [ObservedMirror("old", status)]
    histories = Histories(mirrors, clock)
    for name in ("old", "old", "new", "new"):
        mirrors[:] = [ObservedMirror(name, status)]
        clock.ms += 5000
        histories.sample()
    assert (histories.of("old").count, histories.of("new").count) == (0, 1)
