from bridge.jobs.redrive_report import RedriveReport


def test_each_thing_has_one_key() -> None:
    """The same ones in which a replay is told."""
    report = RedriveReport(
        "redrive-1", "topic letters", "topic orders", 3, {"too_large": 1}, is_complete=True, seconds=2
    )
    assert report.to_json() == {
        "id": "redrive-1",
        "dead_letter": "topic letters",
        "sink": "topic orders",
        "sent": 3,
        "refused": {"too_large": 1},
        "complete": True,
        "seconds": 2,
    }
