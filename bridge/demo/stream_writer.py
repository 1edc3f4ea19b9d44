"""Writes the workload into the stream, while the mirror runs."""

import asyncio
import time
from threading import Event
from typing import Any

from bridge.demo.embedded_kinesis import StreamAddress
from bridge.demo.workload import Workload
from bridge.errors import BridgeError

_A_CALL = 200


class StreamWriter:
    """One call after the other: the embedded Kinesis loses records of calls that overlap."""

    def __init__(self, address: StreamAddress, workload: Workload, per_second: float) -> None:
        """Writes at most ``per_second`` records a second."""
        self._address = address
        self._workload = workload
        self._per_second = per_second
        self.written = 0
        self.written_bytes = 0
        self.started_ns = 0
        """When the first record was sent."""
        self._stop = Event()

    async def run(self) -> None:
        """Returns when everything is written. Cancelling it ends it after the call under way."""
        try:
            await asyncio.to_thread(self._write)
        finally:
            self._stop.set()

    def _write(self) -> None:
        client = self._address.client()
        self.started_ns = time.time_ns()
        for numbers in self._workload.calls(_A_CALL):
            due_s = self.started_ns / 1e9 + self.written / self._per_second
            if self._stop.wait(max(due_s - time.time(), 0)):
                return
            self._put(client, numbers)

    def _put(self, client: Any, numbers: range) -> None:
        values = [self._workload.value(number) for number in numbers]
        answer = client.put_records(
            StreamName=self._address.stream,
            Records=[
                {"PartitionKey": self._workload.key(number), "Data": value}
                for number, value in zip(numbers, values, strict=True)
            ],
        )
        if answer.get("FailedRecordCount"):
            raise BridgeError("write to the embedded Kinesis", f"it refused {answer['FailedRecordCount']} records")
        self.written += len(numbers)
        self.written_bytes += sum(map(len, values))
