"""The documents of docs/codecs.md, section envelope."""

import json

import pytest

from connectors.base import ORIGIN_HEADER, REPLAY_HEADER
from connectors.codecs.compression import compressor
from connectors.codecs.envelope import MARKER, EnvelopeCodec
from tests.connectors.codecs.records import Plain, batch_of, decoded, entries

_BEGIN = '{"kmbridge":1,"timestamp":1795490498000,'
_PLAIN = '"key":"key","value":"value",'


@pytest.mark.parametrize(
    ("record", "document"),
    [
        (Plain(b"user1", b"hello"), '"key":"user1","value":"hello"}'),
        (
            Plain("Schlüssel".encode(), b'{"a": "\n"}'),
            '"key":"Schlüssel","value":"{\\"a\\": \\"\\n\\"}"}',
        ),
        (Plain(None, None), '"key":null,"value":null}'),
        (Plain(b"", b""), '"key":"","value":""}'),
        (Plain(b"\xff", b"\x00\xff"), '"key":{"base64":"/w=="},"value":{"base64":"AP8="}}'),
        (
            Plain(headers=(("a", b"text"), ("a", None), ("b", b"\xff"), (REPLAY_HEADER, b"1"))),
            _PLAIN + '"headers":[["a","text"],["a",null],["b",{"base64":"/w=="}],["kmbridge-replay","1"]]}',
        ),
        (
            Plain(headers=(("a", None), (ORIGIN_HEADER, b"x>y"))),
            _PLAIN + '"headers":[["a",null]],"kmbridge-origin":["x>y"]}',
        ),
        (
            Plain(headers=((ORIGIN_HEADER, b"x>y"), ("a", None), (ORIGIN_HEADER, None), (ORIGIN_HEADER, b"y>z"))),
            _PLAIN
            + '"headers":["kmbridge-origin",["a",null],["kmbridge-origin",null]],"kmbridge-origin":["x>y","y>z"]}',
        ),
    ],
    ids=["text", "escapes", "nulls", "empty", "binary", "headers", "origin", "origins between headers"],
)
def test_a_record_is_a_document(record: Plain, document: str) -> None:
    """Every byte, as documented."""
    [(key, data)] = entries(EnvelopeCodec(), batch_of([record]))
    assert data.decode() == _BEGIN + document
    assert decoded(key, data) == [record]


def test_the_origin_of_this_hop_is_the_last() -> None:
    """All hops stand in one field, oldest first, wherever they stood among the headers."""
    record = Plain(b"k", b"v", headers=((ORIGIN_HEADER, b"x>y"), ("a", None)))
    [(_, data)] = entries(EnvelopeCodec(), batch_of([record], [b"y>z"]))
    assert json.loads(data)[ORIGIN_HEADER] == ["x>y", "y>z"]


def test_a_compressed_value_is_binary() -> None:
    """It says how; whoever reads it undoes base64 first."""
    record = Plain(b"k", b"value" * 100)
    [(key, data)] = entries(EnvelopeCodec(compressor("gzip")), batch_of([record]))
    document = json.loads(data)
    assert document["compression"] == "gzip"
    assert document["value"]["base64"].startswith("H4sI")
    assert decoded(key, data) == [record]


def test_fields_are_found_in_any_order() -> None:
    """Others may write envelopes too: only the marker stands where it stands."""
    data = MARKER + b' "value": "v", "key": null, "timestamp": -1 }'
    assert decoded("k", data) == [Plain(None, b"v", -1)]
