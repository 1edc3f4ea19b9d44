"""The loop that people write by hand: confluent-kafka consumes, boto3 writes.

A process of its own: ``python -m bench.to_kinesis.handwritten BOOTSTRAP TOPIC ENDPOINT STREAM`` mirrors until SIGTERM.
It is what a competent engineer has at the end of the first day: 500 records a call, failed entries sent again until
none is left, offsets committed behind what was written. That a failed entry is sent behind later ones of its key, null
keys and headers are left for the second day.
"""

import os
import signal
import sys
import threading
import time
from typing import Any

import boto3
from confluent_kafka import Consumer, KafkaException

_LIMIT = 500
_WAIT_S = 0.5
_PAUSE_S = 0.1


def write(kinesis: Any, stream: str, entries: list[dict[str, Any]]) -> None:
    while entries:
        answer = kinesis.put_records(StreamName=stream, Records=entries)
        if not answer.get("FailedRecordCount"):
            return
        results = answer["Records"]
        entries = [entry for entry, result in zip(entries, results, strict=True) if "ErrorCode" in result]
        time.sleep(_PAUSE_S)


def mirror(bootstrap: str, topic: str, endpoint: str, stream: str) -> None:
    kinesis = boto3.client("kinesis", endpoint_url=endpoint)
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"handwritten-{stream}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    consumer.subscribe([topic])
    while not stopped.is_set():
        entries = []
        for message in consumer.consume(_LIMIT, _WAIT_S):
            if message.error():
                raise KafkaException(message.error())
            key: Any = message.key()
            entries.append({"Data": message.value(), "PartitionKey": key.decode()})
        if entries:
            write(kinesis, stream, entries)
            consumer.commit(asynchronous=False)
    consumer.close()


if __name__ == "__main__":
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")
    mirror(*sys.argv[1:])
