import json

import pytest

from checkpoints.base import StoreFormatError
from checkpoints.kafka.document import Author, author_of, decode, encode, key_of, key_prefix
from tests.contracts.checkpoint_store import GAP, checkpoint

AUTHOR = Author("kmbridge-orders-3f2a-0", "kmbridge-orders")


def test_a_record_can_be_read_by_a_person() -> None:
    """Key and value are text with names that explain themselves: this is the documented format."""
    assert key_of("orders", "shardId-000000000003") == b"orders/shardId-000000000003"
    assert json.loads(encode(checkpoint("42", gaps=(GAP,)), AUTHOR)) == {
        "version": 1,
        "position": "42",
        "watermark_ms": 1_764_000_000_000,
        "finished": False,
        "saved_ms": 1_764_000_000_500,
        "source": "kinesis orders 1764000000",
        "sink": "",
        "gaps": [
            {
                "lost_from": "17",
                "lost_to": "2026-11-23T10:00:00Z",
                "cause": "trimmed: “späť”",
                "noticed_ms": 1_764_000_000_123,
                "records": None,
            }
        ],
        "writer": "kmbridge-orders-3f2a-0",
        "group": "kmbridge-orders",
    }


def test_a_checkpoint_comes_back_with_its_author() -> None:
    """Nothing is lost on the way, and fields that a later version adds to this one do no harm."""
    saved = checkpoint(None, finished=True, gaps=(GAP,))
    assert decode(encode(saved, AUTHOR), "here") == (saved, AUTHOR)
    later = json.dumps({**json.loads(encode(saved, AUTHOR)), "shiny": 1}).encode()
    assert decode(later, "here") == (saved, AUTHOR)


def test_no_mirrors_keys_begin_with_another_mirrors_name() -> None:
    """A name that begins with another is another."""
    assert not key_of("orders-2", "a").startswith(key_prefix("orders"))


@pytest.mark.parametrize("value", [b"", b"hello", b"[]", b"{}", b'{"version": "1"}', b'{"version": 1}', b"\xff\x00"])
def test_what_is_not_a_checkpoint_is_refused(value: bytes) -> None:
    """It is named with its place, and never taken for anything; who wrote it cannot be told."""
    with pytest.raises(StoreFormatError, match="orders/a in slot 3"):
        decode(value, "orders/a in slot 3")
    assert author_of(value) is None


def test_a_newer_version_is_refused_whatever_else_it_holds() -> None:
    """What cannot be understood is not guessed at: the error says what to upgrade."""
    with pytest.raises(StoreFormatError, match=r"format 2.*upgrade this worker first"):
        decode(b'{"version": 2, "place": {"shard": 1}}', "orders/a")
