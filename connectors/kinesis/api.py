"""The operations that a stream needs, with the stream filled in and pages put together."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from connectors.base import TransientError
from connectors.counted import counted
from connectors.kinesis.answers import (
    DEREGISTER_STREAM_CONSUMER,
    DESCRIBE_STREAM_CONSUMER,
    DESCRIBE_STREAM_SUMMARY,
    GET_RECORDS,
    GET_SHARD_ITERATOR,
    LIST_SHARDS,
    LIST_STREAM_CONSUMERS,
    PUT_RECORDS,
    REGISTER_STREAM_CONSUMER,
    ConsumerAnswer,
    DescribeStreamSummaryAnswer,
    GetRecordsAnswer,
    PutEntry,
    PutRecordsAnswer,
    ShardAnswer,
)
from connectors.kinesis.client import Answer, Caller
from connectors.kinesis.long_answer import LongAnswer
from connectors.kinesis.position import After, Moment, Point
from connectors.kinesis.stream import StreamName

Subscribing = AbstractAsyncContextManager[LongAnswer]


class StreamApi:
    """One stream. Raises what ``Caller.call`` raises."""

    def __init__(self, caller: Caller, stream: StreamName) -> None:
        self._caller = caller
        self._stream = stream

    @property
    def target(self) -> str:
        """The stream and where it is, for messages."""
        return f"stream {self._stream.name} at {self._caller.target}"

    def server_now_ms(self) -> int:
        return self._caller.server_now_ms()

    async def describe(self) -> Answer[DescribeStreamSummaryAnswer]:
        return await self._caller.call("DescribeStreamSummary", self._stream.parameters(), DESCRIBE_STREAM_SUMMARY)

    async def list_shards(self) -> list[ShardAnswer]:
        """All shards that have not expired.

        A further page is asked for by its token alone: with a stream's name beside it the call is refused, which
        botocore's paginator gets wrong (boto/botocore#2009).
        """
        page = (await self._caller.call("ListShards", self._stream.parameters(), LIST_SHARDS)).value
        shards = page.shards
        while page.next_token is not None:
            page = (await self._caller.call("ListShards", {"NextToken": page.next_token}, LIST_SHARDS)).value
            shards += page.shards
        return shards

    async def list_consumers(self, arn: str) -> list[ConsumerAnswer]:
        """Those that are registered for enhanced fan-out with the stream of that ``arn``."""
        consumers: list[ConsumerAnswer] = []
        asked = {"StreamARN": arn}
        while True:
            page = (await self._caller.call("ListStreamConsumers", asked, LIST_STREAM_CONSUMERS)).value
            consumers += page.consumers
            if page.next_token is None:
                return consumers
            asked = {"StreamARN": arn, "NextToken": page.next_token}

    async def register_consumer(self, stream_arn: str, name: str) -> ConsumerAnswer:
        parameters = {"StreamARN": stream_arn, "ConsumerName": name}
        answer = await self._caller.call("RegisterStreamConsumer", parameters, REGISTER_STREAM_CONSUMER)
        return answer.value.consumer

    async def describe_consumer(self, named: Mapping[str, str]) -> ConsumerAnswer:
        """By ``ConsumerARN``, or by ``StreamARN`` and ``ConsumerName``."""
        answer = await self._caller.call("DescribeStreamConsumer", named, DESCRIBE_STREAM_CONSUMER)
        return answer.value.consumer_description

    async def deregister_consumer(self, arn: str) -> None:
        await self._caller.call("DeregisterStreamConsumer", {"ConsumerARN": arn}, DEREGISTER_STREAM_CONSUMER)

    def subscribe(self, consumer_arn: str, shard: str, start: Mapping[str, object]) -> Subscribing:
        """Events of a shard from the ``StartingPosition`` on, for up to 5 minutes."""
        parameters = {"ConsumerARN": consumer_arn, "ShardId": shard, "StartingPosition": start}
        return self._caller.stream("SubscribeToShard", parameters)

    async def shard_iterator(self, shard: str, point: Point, *, inclusive: bool = False) -> str:
        """An iterator at ``point``. ``inclusive`` begins with the record that the point is after."""
        parameters: dict[str, object] = {**self._stream.parameters(), "ShardId": shard}
        match point:
            case After(sequence):
                parameters["ShardIteratorType"] = "AT_SEQUENCE_NUMBER" if inclusive else "AFTER_SEQUENCE_NUMBER"
                parameters["StartingSequenceNumber"] = sequence
            case Moment(ms):
                parameters["ShardIteratorType"] = "AT_TIMESTAMP"
                parameters["Timestamp"] = ms / 1000
            case _:
                parameters["ShardIteratorType"] = "TRIM_HORIZON"
        return (await self._caller.call("GetShardIterator", parameters, GET_SHARD_ITERATOR)).value.shard_iterator

    async def records(self, iterator: str, limit: int) -> Answer[GetRecordsAnswer]:
        parameters = {"ShardIterator": iterator, "Limit": limit, **self._stream.routing()}
        return await self._caller.call("GetRecords", parameters, GET_RECORDS)

    async def put_records(self, records: Sequence[PutEntry]) -> Answer[PutRecordsAnswer]:
        """Up to 500 of them, 10 MiB with their keys. Each has its own result, in order."""
        parameters = {**self._stream.parameters(), "Records": records}
        answer = await self._caller.call("PutRecords", parameters, PUT_RECORDS)
        if len(answer.value.records) != len(records):
            told = f"{counted(len(answer.value.records), 'result')} for {counted(len(records), 'record')}"
            raise TransientError(f"PutRecords at {self.target}", told, "check endpoint_url")
        return answer
