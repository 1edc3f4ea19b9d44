"""Steps by expression: what they see, what they make, and what they refuse to guess."""

import json

import pytest

from bridge.transforms.expressions import ExpressionError, Expressions
from bridge.transforms.filter import Filter
from bridge.transforms.headers import Headers
from bridge.transforms.map import NewValue
from bridge.transforms.rekey import Rekey
from tests.bridge.transforms.batches import batch_of

SEEN = {
    'value.type == "order" && value.amount > 10': True,
    "value.amount == 12.5": True,
    "value.items.exists(item, item.sku.startsWith('b'))": True,
    "value.items.map(item, item.n).size() == 2": True,
    'has(value.missing) || value.type.matches("^o[a-z]+r$")': True,
    'value.?missing.orValue("none") == "none"': True,
    'value["odd.name"] == null': True,
    'text.contains("order")': True,
    'key == "k"': True,
    'headers.tenant == "two"': True,
    '"absent" in headers || headers.binary == null': True,
    'timestamp > timestamp("2023-11-14T22:13:20.122Z") && timestamp.getFullYear() == 2023': True,
    'partition == "shardId-000000000000"': True,
    "value.name.size() == 2 && value.name.lowerAscii() == 'äb'": True,
    "value.amount > 10 && false": False,
}


@pytest.mark.parametrize(("expression", "expected"), SEEN.items(), ids=SEEN)
async def test_an_expression_sees_value_key_headers_time_and_partition(expression: str, expected: bool) -> None:
    """Every variable is there, JSON to its leaves, the last of several headers, and a header that is no text as null."""
    value = {
        "type": "order",
        "amount": 12.5,
        "name": "äB",
        "odd.name": None,
        "items": [{"sku": "b1", "n": 1}, {"sku": "a", "n": 2}],
    }
    headers = ((("tenant", b"one"), ("tenant", b"two"), ("binary", b"\xff\x00")),)

    assert Expressions([expression]).answers(batch_of(json.dumps(value).encode(), headers=headers), 0) == [expected]


async def test_filter_keeps_what_is_true_in_order_and_counts_the_rest() -> None:
    """Positions of what is kept stay, and what is left out is counted as filter."""
    made = await Filter("value.n > 2").apply(batch_of(*(b'{"n":%d}' % n for n in (1, 3, 2, 5, 3))))

    assert list(made.batch.positions) == ["11", "13", "14"]
    assert list(made.batch.values) == [b'{"n":3}', b'{"n":5}', b'{"n":3}']
    assert made.dropped == {"filter": 2}
    assert made.batch.size == 3 * (1 + 7)


NOTHING = {
    "no JSON": ("value.n > 1", b"n=1", "not_json", "the value is not JSON"),
    "no value at all": ("value.n > 1", None, "expression", "a field is asked of what is no object"),
    "a field that is missing": ("value.n > 1", b"{}", "expression", 'Key not found in map : "n"'),
    "types that do not go together": ("value.n > 1", b'{"n":"2"}', "expression", "_>_(string, int64)"),
    "neither true nor false": ("value.n", b'{"n":2}', "expression", "gives int, neither true nor false"),
    "a character that would cut texts short": ('value.n == "a"', b'{"n":"a\\u0000b"}', "not_text", "U+0000"),
    "a text that is none": ('text == "a"', b"\xff", "not_text", "the value is not text"),
    "JSON without end": ("value.n > 1", b"[" * 100_000, "not_json", "the value is not JSON"),
}


@pytest.mark.parametrize(("expression", "value", "reason", "detail"), NOTHING.values(), ids=NOTHING)
async def test_a_record_for_which_an_expression_has_no_answer_is_named_and_the_others_go_on(
    expression: str, value: bytes | None, reason: str, detail: str
) -> None:
    """Nothing crashes and nothing is guessed: the record is refused with its reason, what stands around it is not."""
    good = b'{"n":"a"}' if '"' in expression else b'{"n":2}'
    step = Filter(f"{expression} || true") if detail.startswith("gives") else Filter(expression)
    if detail.startswith("gives"):
        step = Filter(expression)
        good = b'{"n":true}'
    if expression.startswith("text"):
        good = b"a"

    made = await step.apply(batch_of(good, value, good))

    assert [(each.index, each.reason) for each in made.rejected] == [(1, reason)]
    assert detail in made.rejected[0].detail
    assert made.rejected[0].detail.startswith(f"filter {expression}: ")
    assert list(made.batch.positions) == ["10", "12"]
