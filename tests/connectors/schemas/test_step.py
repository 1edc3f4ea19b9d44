"""Records of one registry become those of another; whatever is in no frame stays as it is."""

import asyncio
import zlib
from dataclasses import replace
from uuid import UUID

import pytest

from connectors.base import Clock, RefusedError, TransientError
from connectors.schemas.definition import Compatibility, Definition, Field, Format
from connectors.schemas.framing.confluent import ConfluentFraming
from connectors.schemas.framing.frame import Framing
from connectors.schemas.framing.glue import GlueFraming
from connectors.schemas.naming import Naming
from connectors.schemas.settings import Unknown
from connectors.schemas.step import SchemaStep
from connectors.schemas.translation import Translation
from tests.connectors.schemas.batches import batch_of
from tests.connectors.schemas.memory_registry import AVRO, MemoryRegistry
from tests.support.clocks import Hours
from tests.support.waiting import eventually

ID = UUID("00010203-0405-4607-8809-0a0b0c0d0e0f").bytes
GLUE = b"\x03\x00" + ID
CONFLUENT = b"\x00\x00\x00\x00\x07"


def glue(name: bytes = ID) -> MemoryRegistry:
    registry = MemoryRegistry(GlueFraming(), name)
    registry.add(name)
    return registry


def confluent(framing: Framing | None = None, first: bytes = CONFLUENT[1:]) -> MemoryRegistry:
    return MemoryRegistry(framing or ConfluentFraming(), first)


def step_of(
    source: MemoryRegistry,
    target: MemoryRegistry,
    *,
    unknown: Unknown = Unknown.STOP,
    subject: str = "topic_name",
    clock: Clock | None = None,
    compatibility: Compatibility | None = None,
) -> SchemaStep:
    translation = Translation(source, target, Naming(subject, "orders"), compatibility, 1_000)
    return SchemaStep(translation, (Field.KEY, Field.VALUE), unknown, clock or Clock())


async def test_prefix_is_replaced_and_the_body_stays() -> None:
    """Keys and values get the other registry's prefix; nothing else of them changes, and nothing else of the batch."""
    made = await step_of(glue(), confluent()).apply(batch_of([GLUE + b"body"], [GLUE + b"key"]))

    assert made.batch.keys == [CONFLUENT + b"key"]
    assert made.batch.values == [b"\x00\x00\x00\x00\x08body"]
    assert made.batch.size == len(CONFLUENT) * 2 + len(b"bodykey")
    assert replace(made.batch, keys=(), values=(), size=0) == replace(batch_of([b""]), keys=(), values=(), size=0)


async def test_what_is_in_no_frame_passes_untouched() -> None:
    """Payloads without a frame, or of which the first byte alone looks like one, go on and nobody is asked."""
    source = glue()
    payloads = [b"text", b"", None, b"\x03", b"\x03\x07" + bytes(30), b"\x03\x00" + bytes(5), b"\x00\x00\x00\x00\x01x"]

    made = await step_of(source, confluent()).apply(batch_of(payloads))

    assert made.batch.values == payloads
    assert source.fetched == []


async def test_what_is_not_compressed_though_its_frame_says_so_passes_untouched() -> None:
    """The id of a schema is not enough: a body that zlib does not undo is none of its."""
    payload = b"\x03\x05" + ID + b"no zlib"

    made = await step_of(glue(), confluent()).apply(batch_of([payload]))

    assert made.batch.values == [payload]


async def test_compression_is_undone_and_done() -> None:
    """Glue's zlib is undone for others, and done for Glue where that is asked for."""
    packed = b"\x03\x05" + ID + zlib.compress(b"body")

    undone = await step_of(glue(), confluent()).apply(batch_of([packed]))
    back = MemoryRegistry(GlueFraming(compressed=True), ID)
    source = confluent()
    source.add(CONFLUENT[1:])
    done = await step_of(source, back).apply(batch_of([CONFLUENT + b"body"]))

    assert undone.batch.values == [CONFLUENT + b"body"]
    assert done.batch.values == [packed]


async def test_few_bytes_that_claim_to_be_gigabytes_are_not_unpacked() -> None:
    """A compressed body beyond what a record may have stays as it is."""
    payload = b"\x03\x05" + ID + zlib.compress(bytes(70 * 1024 * 1024), 9)

    made = await step_of(glue(), confluent()).apply(batch_of([payload]))

    assert made.batch.values == [payload]


async def test_header_tells_the_schema_before_the_payload_does() -> None:
    """A GUID in a record's header counts, the payload is the body, and the header goes where a prefix says it."""
    source = confluent()
    source.add(ID)
    headers = ((("trace", b"1"), ("__value_schema_id", b"\x01" + ID)), ())

    made = await step_of(source, MemoryRegistry(GlueFraming(), bytes(16))).apply(
        batch_of([b"\x00body", b"text"], headers=headers)
    )

    assert made.batch.values == [b"\x03\x00" + bytes(16) + b"\x00body", b"text"]
    assert made.batch.headers == [(("trace", b"1"),), ()]


async def test_body_behind_a_header_may_begin_as_it_likes() -> None:
    """Where a header tells the schema the payload is not looked at, though it begins like one in a known frame."""
    source, target = confluent(), MemoryRegistry(GlueFraming(), bytes(16))
    source.add(CONFLUENT[1:])
    source.add(ID, replace(AVRO, text=AVRO.text.replace("Order", "Line")))
    step = step_of(source, target, unknown=Unknown.PASS)
    (known,) = (await step.apply(batch_of([CONFLUENT + b"body"]))).batch.values
    line, nobody = ((("__value_schema_id", b"\x01" + guid),) for guid in (ID, bytes(16)))

    made = await step.apply(batch_of([CONFLUENT + b"body"] * 3, headers=(line, (), nobody)))

    assert known == b"\x03\x00" + bytes(16) + b"body"
    as_line = b"\x03\x00" + bytes(15) + b"\x01" + CONFLUENT + b"body"
    assert made.batch.values == [as_line, known, CONFLUENT + b"body"]


@pytest.mark.parametrize("header", [b"", b"orders-1", CONFLUENT])
async def test_header_that_tells_something_else_tells_no_schema(header: bytes) -> None:
    """Of each record its own prefix counts then, whatever others with the same header had before their bodies."""
    source, target = confluent(), MemoryRegistry(GlueFraming(), ID)
    for number in (7, 8):
        definition = Definition(Format.AVRO, AVRO.text.replace("Order", f"Order{number}"))
        source.add(number.to_bytes(4, "big"), definition, f"orders{number}-value")
    payloads = [CONFLUENT + b"a", b"\x00\x00\x00\x00\x08b", b"unframed"]
    headers = [(("__value_schema_id", header),)] * 3
    async with step_of(source, target, subject="{subject}") as step:
        first = (await step.apply(batch_of(payloads[:1]))).batch.values[0]
        made = await step.apply(batch_of(payloads, headers=headers))
    assert target.registered == [
        ("orders7-value", AVRO.text.replace("Order", "Order7")),
        ("orders8-value", AVRO.text.replace("Order", "Order8")),
    ]
    assert made.batch.values[0] == first
    assert (made.batch.values[1] or b"")[18:] == b"b"
    assert made.batch.values[1] != (first or b"")[:18] + b"b"
    assert made.batch.values[2] == b"unframed"
    assert made.batch.headers == headers


async def test_schema_can_be_told_in_a_header() -> None:
    """With framing: header the payload is the body, and the header stands behind those that were there."""
    target = confluent(ConfluentFraming(in_header=True), bytes(16))

    made = await step_of(glue(), target).apply(batch_of([GLUE + b"body", b"text"], headers=((("a", None),), ())))

    assert made.batch.values == [b"body", b"text"]
    assert made.batch.headers == [(("a", None), ("__value_schema_id", b"\x01" + bytes(16))), ()]


async def test_unknown_id_stops_the_lane_and_is_asked_for_again() -> None:
    """The error names record, field and id and what to do; once the schema is there the record goes on."""
    source, target, clock = MemoryRegistry(GlueFraming(), ID), confluent(), Hours()
    step = step_of(source, target, clock=clock)

    with pytest.raises(RefusedError, match=r"record 0 of shard-0: the value has the schema 00010203.*unknown"):
        await step.apply(batch_of([GLUE + b"body"]))
    source.add(ID)
    clock.passed_s = 61.0

    assert (await step.apply(batch_of([GLUE + b"body"]))).batch.values == [CONFLUENT + b"body"]


LOOK_ALIKES = [
    (ConfluentFraming(), b"\x00text"),
    (ConfluentFraming(), b"\x00\x01\x00\x00\x00"),
    (GlueFraming(), b"\x03\x00sixteen letters of text"),
]


@pytest.mark.parametrize("unknown", [Unknown.STOP, Unknown.DEAD_LETTER])
@pytest.mark.parametrize(("framing", "payload"), LOOK_ALIKES)
async def test_what_only_looks_framed_passes_untouched(framing: Framing, payload: bytes, unknown: Unknown) -> None:
    """An id that no registry has counted up to, or made, and that this one does not have, is none: policy stays out."""
    source = MemoryRegistry(framing, ID)
    step = step_of(source, MemoryRegistry(GlueFraming(), ID), unknown=unknown)

    made = await step.apply(batch_of([payload] * 2, [payload] * 2))

    assert (made.batch.keys, made.batch.values, made.rejected) == ([payload] * 2, [payload] * 2, ())
    assert set(source.fetched) == {framing.schema_of(payload, None)}


@pytest.mark.parametrize(("framing", "payload"), LOOK_ALIKES)
async def test_registry_that_has_an_unlikely_id_is_believed(framing: Framing, payload: bytes) -> None:
    """Ids can be imported: whatever one looks like, the registry is asked before it is taken for something else."""
    source = MemoryRegistry(framing, ID)
    source.add(framing.schema_of(payload, None) or b"")

    made = await step_of(source, confluent()).apply(batch_of([payload + b"body"]))

    assert made.batch.values == [CONFLUENT + payload[framing.prefix_size :] + b"body"]


async def test_last_id_that_is_likely_stops_the_lane() -> None:
    """Up to 16,777,215 an unknown id of Confluent's may have been one, and what it stands for unreadable."""
    with pytest.raises(RefusedError, match="the schema 16777215"):
        await step_of(confluent(), confluent()).apply(batch_of([b"\x00\x00\xff\xff\xffbody"]))


async def test_unknown_id_in_a_header_goes_by_the_policy_whatever_it_is() -> None:
    """Nobody writes that header by accident."""
    headers = ((("__value_schema_id", b"\x01" + bytes(16)),),)

    with pytest.raises(RefusedError, match="the schema 00000000-0000"):
        await step_of(confluent(), confluent()).apply(batch_of([b"body"], headers=headers))


async def test_unknown_id_can_be_rejected() -> None:
    """With unknown: dead_letter such a record is rejected by its index, and those around it go on."""
    source = glue()
    stranger = b"\x03\x00" + UUID("11111111-1111-4111-8111-111111111111").bytes

    made = await step_of(source, confluent(), unknown=Unknown.DEAD_LETTER).apply(
        batch_of([GLUE + b"1", stranger + b"2", GLUE + b"3"])
    )

    assert made.batch.values == [CONFLUENT + b"1", CONFLUENT + b"3"]
    assert made.batch.positions == ["0", "2"]
    assert [(each.index, each.reason) for each in made.rejected] == [(1, "unknown_schema")]


async def test_unknown_id_can_pass_and_is_not_asked_for_each_time() -> None:
    """With unknown: pass the record goes on as it is; the registry is asked about that id once a minute."""
    source, clock = MemoryRegistry(GlueFraming(), ID), Hours()
    step = step_of(source, confluent(), unknown=Unknown.PASS, clock=clock)

    for _ in range(3):
        made = await step.apply(batch_of([GLUE + b"body"] * 5))
        assert made.batch.values == [GLUE + b"body"] * 5
    assert len(source.fetched) == 1
    clock.passed_s = 61.0
    await step.apply(batch_of([GLUE + b"body"]))

    assert len(source.fetched) == 2


@pytest.mark.parametrize("side", ["source", "target"])
async def test_registry_that_is_down_lets_nothing_pass(side: str) -> None:
    """The lane's batch raises what can be tried again, and is made whole once both registries answer."""
    source, target = glue(), confluent()
    down = source if side == "source" else target
    down.trouble = TransientError("get schema", "connection refused")
    step = step_of(source, target)

    with pytest.raises(TransientError, match="connection refused"):
        await step.apply(batch_of([b"text", GLUE + b"body"]))
    down.trouble = None

    assert (await step.apply(batch_of([b"text", GLUE + b"body"]))).batch.values == [b"text", CONFLUENT + b"body"]


async def test_known_schemas_need_no_registry() -> None:
    """What was asked once is made while both registries are away."""
    source, target = glue(), confluent()
    step = step_of(source, target)
    await step.apply(batch_of([GLUE + b"1"]))
    source.trouble = target.trouble = TransientError("get schema", "connection refused")

    assert (await step.apply(batch_of([GLUE + b"2"]))).batch.values == [CONFLUENT + b"2"]


async def test_ids_are_asked_for_side_by_side_and_each_once() -> None:
    """A batch with several new schemas waits once, and lanes that meet the same schema ask once between them."""
    source, target = MemoryRegistry(GlueFraming(), ID), confluent()
    names = [bytes([number]) * 16 for number in range(1, 6)]
    for version, name in enumerate(names):
        source.add(name, replace(AVRO, text=AVRO.text.replace("Order", f"Order{version}")))
    step = step_of(source, target, subject="record_name")
    source.open.clear()
    batch = batch_of([b"\x03\x00" + name + b"body" for name in names] * 10)
    lanes = [asyncio.create_task(step.apply(batch)) for _ in range(3)]

    await eventually(lambda: len(source.fetched) == len(names), "the ids to be asked for")
    assert source.asked_at_once == len(names)
    source.open.set()
    made = await asyncio.gather(*lanes)

    assert len(source.fetched) == len(names)
    assert len(target.registered) == len(names)
    assert made[0].batch.values == made[1].batch.values == made[2].batch.values


async def test_cancelled_lane_leaves_the_question_to_the_next() -> None:
    """A lane that stops while it waits for a registry takes nothing from another that waits for the same."""
    source, target = glue(), confluent()
    step = step_of(source, target)
    source.open.clear()
    first, second = (asyncio.create_task(step.apply(batch_of([GLUE + b"body"]))) for _ in range(2))
    await eventually(lambda: bool(source.fetched), "the id to be asked for")

    first.cancel()
    source.open.set()

    assert (await second).batch.values == [CONFLUENT + b"body"]
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_versions_are_registered_in_their_order() -> None:
    """A record with a schema's third version registers the first two before it: each is compared with those before."""
    source, target = MemoryRegistry(GlueFraming(), ID), confluent()
    for version in (1, 2, 3):
        source.add(bytes([version]) * 16, replace(AVRO, text=AVRO.text.replace("[]", f"[{version}]")), version=version)

    await step_of(source, target).apply(batch_of([b"\x03\x00" + b"\x03" * 16 + b"body"]))

    assert [text[-3:-1] for _, text in target.registered] == ["1]", "2]", "3]"]


async def test_versions_that_several_have_behind_them_are_registered_once() -> None:
    """However many versions of a schema a mirror meets, each is sent to the other registry one time."""
    source, target = MemoryRegistry(GlueFraming(), ID), confluent()
    versions = (1, 2, 3, 4)
    for version in versions:
        source.add(bytes([version]) * 16, replace(AVRO, text=AVRO.text.replace("[]", f"[{version}]")), version=version)

    await step_of(source, target).apply(batch_of([b"\x03\x00" + bytes([each]) * 16 + b"body" for each in versions]))

    assert [text[-3:-1] for _, text in target.registered] == ["1]", "2]", "3]", "4]"]


@pytest.mark.parametrize("fixed", [None, Compatibility.NONE])
async def test_new_subject_gets_the_compatibility(fixed: Compatibility | None) -> None:
    """That of the schema in the other registry, or the one that is asked for."""
    source, target = glue(), confluent()
    source.compatibilities["orders-value"] = Compatibility.FULL_ALL

    await step_of(source, target, compatibility=fixed).apply(batch_of([GLUE + b"body"]))

    assert target.compatibilities["orders-value"] == (fixed or Compatibility.FULL_ALL)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("topic_name", "orders-value"),
        ("record_name", "shop.Order"),
        ("topic_record_name", "orders-shop.Order"),
        ("{subject}", "old-name"),
        ("copy.{topic}.{field}", "copy.orders.value"),
    ],
)
async def test_subject_is_named_as_asked(subject: str, expected: str) -> None:
    """By Confluent's three strategies, or by a text with places."""
    source, target = MemoryRegistry(GlueFraming(), ID), confluent()
    source.add(ID, subject="old-name")

    await step_of(source, target, subject=subject).apply(batch_of([GLUE + b"body"]))

    assert [name for name, _ in target.registered] == [expected]


async def test_schema_without_a_name_cannot_be_named_by_it() -> None:
    """The error says which setting does without."""
    source = MemoryRegistry(GlueFraming(), ID)
    source.add(ID, Definition(Format.JSON, '{"type": "object"}'))

    with pytest.raises(RefusedError, match=r"the value schema has no record.*topic_name"):
        await step_of(source, confluent(), subject="record_name").apply(batch_of([GLUE + b"{}"]))


PROTOBUF = Definition(
    Format.PROTOBUF,
    'syntax = "proto3"; package shop; '
    "message Z { message B {} message A {} } message C { map<string, int32> all = 1; }",
)


@pytest.mark.parametrize(
    ("number", "path"),
    [
        # In the order of names: C, C.AllEntry, Z, Z.A, Z.B.
        (0, b"\x02\x02"),
        (2, b"\x00"),
        (3, b"\x04\x00\x02"),
        (4, b"\x04\x00\x00"),
    ],
)
async def test_number_of_the_message_becomes_its_place(number: int, path: bytes) -> None:
    """Glue counts all messages by their names, Confluent where they are declared; there and back is the same."""
    source, target = MemoryRegistry(GlueFraming(), ID), confluent()
    source.add(ID, PROTOBUF)
    payload = GLUE + bytes([number]) + b"body"

    to, fro = step_of(source, target), step_of(target, source)

    # The second time the schema is known.
    for _ in range(2):
        there = await to.apply(batch_of([payload, payload]))
        back = await fro.apply(there.batch)

        assert there.batch.values == [CONFLUENT + path + b"body"] * 2
        assert back.batch.values == [payload] * 2


@pytest.mark.parametrize("rest", [b"\x63body", b"\xff\xff\xff\xff\xff\xff", b""])
async def test_message_that_the_schema_does_not_have_passes_untouched(rest: bytes) -> None:
    """The id of a schema is not enough: what says which message it is has to be one of its."""
    source = MemoryRegistry(GlueFraming(), ID)
    source.add(ID, PROTOBUF)

    made = await step_of(source, confluent()).apply(batch_of([GLUE + rest]))

    assert made.batch.values == [GLUE + rest]


async def test_messages_of_one_schema_have_subjects_of_their_own_names() -> None:
    """With record_name each message is registered under its own, as Confluent's serializers do."""
    source, target = MemoryRegistry(GlueFraming(), ID), confluent()
    source.add(ID, PROTOBUF)

    await step_of(source, target, subject="record_name").apply(batch_of([GLUE + b"\x03a", GLUE + b"\x02b"]))

    assert sorted(name for name, _ in target.registered) == ["shop.Z", "shop.Z.A"]
