"""The loop that people write by hand: boto3 reads, confluent-kafka writes, a thread a shard.

A process of its own: ``python -m bench.handwritten ENDPOINT STREAM BOOTSTRAP TOPIC FOLDER`` mirrors until SIGTERM.
It is what a competent engineer has at the end of the first day: idempotent producer, all shards at once, a checkpoint
after every batch that never runs ahead of the acknowledgements, AWS's limits left to the client's own retries.
Reshards, lost iterators and poison records are left for the second day.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from confluent_kafka import KafkaError, Message, Producer

_LIMIT = 10_000
_IDLE_S = 0.2


class Batch:
    """Counts what is still on its way of one answer of GetRecords."""

    def __init__(self) -> None:
        self.errors: list[KafkaError] = []

    def delivered(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self.errors.append(error)


class ShardLoop:
    """Reads one shard and writes it into the topic."""

    def __init__(self, kinesis: Any, producer: Producer, stream: str, shard: str, topic: str, folder: Path) -> None:
        self._kinesis = kinesis
        self._producer = producer
        self._stream = stream
        self._shard = shard
        self._topic = topic
        self._checkpoint = folder / f"{shard}.checkpoint"

    def run(self, stopped: threading.Event) -> None:
        iterator: str | None = self._iterator()
        while iterator is not None and not stopped.is_set():
            answer = self._kinesis.get_records(ShardIterator=iterator, Limit=_LIMIT)
            records = answer["Records"]
            if records:
                self._write(records)
                self._save(records[-1]["SequenceNumber"])
            else:
                stopped.wait(_IDLE_S)
            iterator = answer.get("NextShardIterator")

    def _iterator(self) -> str:
        place: dict[str, str] = {"ShardIteratorType": "TRIM_HORIZON"}
        if self._checkpoint.exists():
            last = self._checkpoint.read_text()
            place = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": last}
        answer = self._kinesis.get_shard_iterator(StreamName=self._stream, ShardId=self._shard, **place)
        return str(answer["ShardIterator"])

    def _write(self, records: list[dict[str, Any]]) -> None:
        batch = Batch()
        for record in records:
            while True:
                try:
                    self._producer.produce(
                        self._topic, key=record["PartitionKey"], value=record["Data"], on_delivery=batch.delivered
                    )
                    break
                except BufferError:
                    self._producer.poll(0.1)
            self._producer.poll(0)
        self._producer.flush()
        if batch.errors:
            raise RuntimeError(f"{self._shard}: {batch.errors[0]}")

    def _save(self, sequence_number: str) -> None:
        scratch = self._checkpoint.with_suffix(".new")
        scratch.write_text(sequence_number)
        scratch.replace(self._checkpoint)


def mirror(endpoint: str, stream: str, bootstrap: str, topic: str, folder: Path) -> None:
    kinesis = boto3.client("kinesis", endpoint_url=endpoint, config=Config(max_pool_connections=64))
    shards = [shard["ShardId"] for shard in kinesis.list_shards(StreamName=stream)["Shards"]]
    settings: dict[str, str | int | float | bool] = {
        "bootstrap.servers": bootstrap,
        "enable.idempotence": True,
        "compression.type": "lz4",
        "linger.ms": 20,
        "partitioner": "murmur2_random",
    }
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    loops = [ShardLoop(kinesis, Producer(settings), stream, shard, topic, folder) for shard in shards]
    threads = [threading.Thread(target=loop.run, args=(stopped,)) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    endpoint_, stream_, bootstrap_, topic_, folder_ = sys.argv[1:]
    mirror(endpoint_, stream_, bootstrap_, topic_, Path(folder_))
