"""The partition key of records whose key cannot be one."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors.base import Batch, Place
from connectors.codecs.keys import partition_keys
from tests.connectors.codecs.records import Plain, batch_of

_keys = some.none() | some.binary(max_size=600) | some.text(max_size=300).map(str.encode)


@pytest.mark.parametrize(
    "key", ["a", "k" * 256, "Schlüssel", "\U0001f40e" * 128, "\0", "kmbridge-null:3/100"], ids=range(6)
)
def test_text_is_its_own_partition_key(key: str) -> None:
    """1 to 256 characters, counted in UTF-16, in whatever script."""
    assert partition_keys(batch_of([Plain(key.encode())])) == [key]


@pytest.mark.parametrize(
    ("key", "surrogate"),
    [
        (None, "kmbridge-null:3/100"),
        (b"", "kmbridge-key:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (b"\xff", "kmbridge-key:a8100ae6aa1940d0b663bb31cd466142ebbdbd5187131b92d93818987832eb89"),
        (b"k" * 257, "kmbridge-key:a5de0e3c93b4322bf1d2e6cc13119219d665142374de7f2b06bae237759c73e2"),
    ],
    ids=["null", "empty", "binary", "long"],
)
def test_other_keys_have_the_surrogate_of_the_specification(key: bytes | None, surrogate: str) -> None:
    """The record's place where there is no key, else the key's SHA-256."""
    assert partition_keys(batch_of([Plain(key)])) == [surrogate]


@given(some.lists(_keys, min_size=1))
def test_every_partition_key_is_one_that_kinesis_takes(keys: list[bytes | None]) -> None:
    """1 to 256 characters, the same for the same key, another for another key, and for each record without one."""
    found = partition_keys(batch_of([Plain(key) for key in keys]))
    assert all(1 <= len(key.encode("utf-16-le")) // 2 <= 256 for key in found)
    without = keys.count(None)
    assert len(set(found)) == len(set(keys) - {None}) + without


def test_a_record_without_key_has_a_short_surrogate_wherever_it_stands() -> None:
    """Names and positions of any length are hashed."""
    batch = Batch("p" * 300, Place(), ["1", "2"], [None, None], [b"", b""], [0, 0])
    first, second = partition_keys(batch)
    assert first != second
    assert {len(first), len(second)} == {len("kmbridge-null:") + 64}
