"""The report of a translation as a document."""

import json

from bridge.migration.translation.report import TranslatedPartition, TranslateReport, TranslationGap
from bridge.migration.translation.request import Direction

REPORT = TranslateReport(
    Direction.TO_GROUP,
    "orders-app",
    "orders",
    "kinesis:eu-west-1:123456789012:orders",
    "kafka:cluster:orders",
    (TranslatedPartition("0", "17", 2, 0, "3"), TranslatedPartition("1", "0", 1, 4)),
    (TranslationGap("shardId-000000000000", "1", "2", "it begins behind it"),),
    ("shardId-000000000000: lease counter 1 -> 2 (by worker-1)",),
    is_applied=False,
    stream_records=10,
    topic_records=20,
)


def test_a_report_comes_back_from_its_document() -> None:
    """Whoever keeps one, as a cutover does, has the same again."""
    assert TranslateReport.from_json(json.loads(json.dumps(REPORT.to_json()))) == REPORT


def test_the_document_tells_how_much_is_seen_again_in_all() -> None:
    """Of all partitions together, beside that of each."""
    assert REPORT.to_json()["again"] == 3
