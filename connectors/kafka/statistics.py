"""What librdkafka tells about its work, handed to the observer."""

import json
from typing import Any, cast

from confluent_kafka import KafkaError

from connectors.base import Observer


class Statistics:
    """The callbacks of one client; its totals become differences. Called by the thread that polls the client."""

    def __init__(self, observer: Observer, operation: str) -> None:
        """``operation`` is what the client is there for: Produce, Fetch."""
        self._observer = observer
        self._operation = operation
        self._before = 0
        self._after = 0

    def report(self, document: str) -> None:
        """``txmsg_bytes`` counts keys and values, ``tx_bytes`` all that went over the wire, headers and retries too."""
        totals = cast("dict[str, Any]", json.loads(document))
        before, after = int(totals["txmsg_bytes"]), int(totals["tx_bytes"])
        if before > self._before:
            self._observer.compressed(before - self._before, after - self._after)
        self._before, self._after = before, after

    def error(self, error: KafkaError) -> None:
        """Not a failure: librdkafka goes on by itself, asking or sending again."""
        self._observer.retried(self._operation, error.name().lower().strip("_"))

    def throttle(self, _event: object) -> None:
        self._observer.throttled(self._operation)
