"""Frames are those of the official serializers, bit for bit."""

import io
from uuid import UUID

import pytest
from aws_schema_registry.codec import decode, encode
from confluent_kafka.schema_registry.common.serde import SchemaId
from hypothesis import given
from hypothesis import strategies as st

from connectors.codecs.varint import read_varint, varint
from connectors.schemas.formats.messages import Messages
from connectors.schemas.framing.confluent import ConfluentFraming
from connectors.schemas.framing.glue import GlueFraming

ids = st.binary(min_size=16, max_size=16)
paths = st.lists(st.integers(0, 1_000), min_size=1, max_size=5)


def only(path: list[int]) -> Messages:
    """A schema that has a message there."""
    return Messages({"Order": tuple(path)}, ("Order",))


@given(ids, st.binary(), st.booleans())
def test_frame_of_glue_is_that_of_its_package(schema: bytes, body: bytes, compressed: bool) -> None:  # noqa: FBT001
    """Both ways, with zlib and without."""
    framing = GlueFraming(compressed)
    theirs = encode(body, UUID(bytes=schema), compression=compressed)

    assert decode(framing.pack(schema, b"", body).payload) == (body, UUID(bytes=schema))
    assert framing.schema_of(theirs, None) == schema
    assert framing.unpack(theirs, None) == body


@given(st.integers(1, 2**31 - 1), paths, st.binary())
def test_prefix_of_confluent_is_that_of_its_client(number: int, path: list[int], body: bytes) -> None:
    """Id and message, read and written."""
    framing, schema = ConfluentFraming(), number.to_bytes(4, "big")
    theirs = SchemaId("PROTOBUF", schema_id=number, message_indexes=path).id_to_bytes()
    message = framing.message_of("Order", only(path))

    assert framing.pack(schema, message, body).payload == theirs + body
    assert framing.schema_of(theirs + body, None) == schema
    rest = framing.unpack(theirs + body, None)
    assert rest == message + body
    size = framing.message_size(rest)
    assert framing.message_name(rest[:size], only(path)) == "Order"


@pytest.mark.parametrize("number", [0, -1, -(2**31)])
def test_number_that_no_schema_can_have_is_no_frame(number: int) -> None:
    """Confluent's registries count from 1, in a signed number of four bytes: nobody is asked for anything else."""
    assert ConfluentFraming().schema_of(b"\x00" + number.to_bytes(4, "big", signed=True) + b"body", None) is None


@given(ids, paths, st.binary())
def test_header_of_confluent_is_that_of_its_client(schema: bytes, path: list[int], body: bytes) -> None:
    """GUID and message in the header, the body alone as payload."""
    framing = ConfluentFraming(in_header=True)
    theirs = SchemaId("PROTOBUF", guid=str(UUID(bytes=schema)), message_indexes=path).guid_to_bytes()
    packed = framing.pack(schema, framing.message_of("Order", only(path)), body)
    read = SchemaId("PROTOBUF")
    read.from_bytes(io.BytesIO(packed.header or b""))

    assert (packed.payload, packed.header) == (body, theirs)
    assert (read.guid, read.message_indexes) == (UUID(bytes=schema), path)
    assert framing.schema_of(body, theirs) == schema
    assert framing.unpack(body, theirs) == framing.message_of("Order", only(path)) + body


@given(st.integers(0, 2**32 - 1), st.binary())
def test_number_is_read_as_it_was_written(number: int, behind: bytes) -> None:
    """And where it ends, whatever follows."""
    written = varint(number)
    assert read_varint(written + behind, 0) == (number, len(written))


@given(st.binary())
def test_any_bytes_are_in_a_frame_or_not(payload: bytes) -> None:
    """Nothing that a record may hold breaks the reading of frames."""
    for framing in (GlueFraming(), ConfluentFraming()):
        if framing.schema_of(payload, None) is not None:
            rest = framing.unpack(payload, None)
            size = None if rest is None else framing.message_size(rest)
            assert size is None or rest is None or framing.message_name(rest[:size], only([0])) in ("Order", None)


@pytest.mark.parametrize("depth", [b"\xce\x01", b"\xff\xff\xff\xff\x0f"])
def test_message_deeper_than_protobuf_allows_is_none(depth: bytes) -> None:
    """A payload of zeros cannot have it counted for long."""
    assert ConfluentFraming().message_size(depth + bytes(1_000_000)) is None
