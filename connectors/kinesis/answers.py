"""What the Kinesis API is sent and answers, as far as it is used. Source: the service model 2013-12-02."""

from msgspec import Struct, field
from msgspec.json import Decoder


class Record(Struct, rename="pascal", gc=False):
    """A record as it is read. Under automatic distribution it may lack a partition key."""

    sequence_number: str
    data: bytes
    approximate_arrival_timestamp: float = 0.0
    partition_key: str | None = None


class ChildShard(Struct, rename="pascal"):
    shard_id: str


class GetRecordsAnswer(Struct, rename="pascal"):
    records: list[Record]
    next_shard_iterator: str | None = None
    millis_behind_latest: int = 0
    child_shards: list[ChildShard] | None = None


class GetShardIteratorAnswer(Struct, rename="pascal"):
    shard_iterator: str


class HashKeyRange(Struct, rename="pascal"):
    starting_hash_key: str
    ending_hash_key: str


class SequenceNumberRange(Struct, rename="pascal"):
    starting_sequence_number: str
    ending_sequence_number: str | None = None


class ShardAnswer(Struct, rename="pascal"):
    shard_id: str
    hash_key_range: HashKeyRange
    sequence_number_range: SequenceNumberRange
    parent_shard_id: str | None = None
    adjacent_parent_shard_id: str | None = None


class ListShardsAnswer(Struct, rename="pascal"):
    shards: list[ShardAnswer]
    next_token: str | None = None


class PutEntry(Struct, rename="pascal", gc=False):
    """One of the records that a call of PutRecords writes."""

    data: bytes
    partition_key: str


class PutResult(Struct, rename="pascal", gc=False):
    """What became of one of them: ``error_code`` None is written, into ``shard_id``."""

    shard_id: str | None = None
    sequence_number: str | None = None
    error_code: str | None = None
    error_message: str | None = None


class PutRecordsAnswer(Struct, rename="pascal"):
    records: list[PutResult]
    failed_record_count: int | None = None


class StreamModeDetails(Struct, rename="pascal"):
    stream_mode: str


class StreamDescriptionSummary(Struct, rename="pascal"):
    stream_name: str
    stream_arn: str = field(name="StreamARN")
    stream_status: str
    retention_period_hours: int
    stream_creation_timestamp: float
    record_distribution_strategy: str | None = None
    max_record_size_kib: int | None = field(name="MaxRecordSizeInKiB", default=None)
    stream_mode_details: StreamModeDetails | None = None


class DescribeStreamSummaryAnswer(Struct, rename="pascal"):
    stream_description_summary: StreamDescriptionSummary


class ConsumerAnswer(Struct, rename="pascal"):
    consumer_name: str
    consumer_arn: str = field(name="ConsumerARN")
    consumer_status: str


class ListStreamConsumersAnswer(Struct, rename="pascal"):
    consumers: list[ConsumerAnswer]
    next_token: str | None = None


class RegisterStreamConsumerAnswer(Struct, rename="pascal"):
    consumer: ConsumerAnswer


class DescribeStreamConsumerAnswer(Struct, rename="pascal"):
    consumer_description: ConsumerAnswer


class DeregisterStreamConsumerAnswer(Struct):
    """Nothing is told."""


class SubscribeToShardEvent(Struct, rename="pascal"):
    """One of many that a subscription brings. Without a number to continue at it is the last one of its shard."""

    records: list[Record]
    continuation_sequence_number: str | None = None
    millis_behind_latest: int = 0
    child_shards: list[ChildShard] | None = None


GET_RECORDS = Decoder(GetRecordsAnswer)
GET_SHARD_ITERATOR = Decoder(GetShardIteratorAnswer)
LIST_SHARDS = Decoder(ListShardsAnswer)
PUT_RECORDS = Decoder(PutRecordsAnswer)
LIST_STREAM_CONSUMERS = Decoder(ListStreamConsumersAnswer)
DESCRIBE_STREAM_SUMMARY = Decoder(DescribeStreamSummaryAnswer)
REGISTER_STREAM_CONSUMER = Decoder(RegisterStreamConsumerAnswer)
DESCRIBE_STREAM_CONSUMER = Decoder(DescribeStreamConsumerAnswer)
DEREGISTER_STREAM_CONSUMER = Decoder(DeregisterStreamConsumerAnswer)
SUBSCRIBE_TO_SHARD_EVENT = Decoder(SubscribeToShardEvent)
