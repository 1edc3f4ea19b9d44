"""Steps by expression: what they see, what they make, and what they refuse to guess."""

import json

import pytest
from cel_expr_python import cel

from bridge.transforms.expressions import ExpressionError, Expressions, check
from bridge.transforms.filter import Filter
from bridge.transforms.headers import Headers
from bridge.transforms.map import EditedValue, NewValue
from bridge.transforms.redact import Mask, Redact
from bridge.transforms.rekey import Rekey
from tests.bridge.transforms.shard_batches import batch_of
from tests.bridge.transforms.turns import turns_during

SEEN = {
    'value.type == "order" && value.amount > 10': True,
    "value.amount == 12.5": True,
    "value.items.exists(item, item.sku.startsWith('b'))": True,
    "value.items.map(item, item.n).size() == 2": True,
    'has(value.missing) || value.type.matches("^o[a-z]+r$")': True,
    '(has(value.missing) ? value.missing : "none") == "none"': True,
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
async def test_an_expression_sees_value_key_headers_time_and_partition(expression: str, expected: object) -> None:
    """Every variable is there: JSON to its leaves, the last of several headers, and one that is no text as null."""
    items = [{"sku": "b1", "n": 1}, {"sku": "a", "n": 2}]
    value = json.dumps({"type": "order", "amount": 12.5, "name": "äB", "odd.name": None, "items": items})
    headers = ((("tenant", b"one"), ("tenant", b"two"), ("binary", b"\xff\x00")),)

    answers = Expressions([expression]).answers(batch_of(value.encode(), headers=headers), 0)

    assert answers == [expected]


async def test_filter_keeps_what_is_true_in_order_and_counts_the_rest() -> None:
    """Positions of what is kept stay, and what is left out is counted as filter."""
    made = await Filter("value.n > 2").apply(batch_of(*(b'{"n":%d}' % n for n in (1, 3, 2, 5, 3))))

    assert list(made.batch.positions) == ["11", "13", "14"]
    assert list(made.batch.values) == [b'{"n":3}', b'{"n":5}', b'{"n":3}']
    assert made.dropped == {"filter": 2}
    assert made.batch.size == 3 * (1 + 7)


UNFIT = {
    "no JSON": ("value.n > 1", b"n=1", "not_json", "the value is not JSON"),
    "JSON without end": ("value.n > 1", b"[" * 100_000, "not_json", "the value is not JSON"),
    "no value at all": ("value.n > 1", None, "expression", "a field is asked of what is no object"),
    "a field that is missing": ("value.n > 1", b"{}", "expression", 'Key not found in map : "n"'),
    "types that do not go together": ("value.n > 1", b'{"n":"2"}', "expression", "_>_(string, int64)"),
    "an answer that is neither": ("value.n == 2 || value.n", b'{"n":3}', "expression", "No matching overloads"),
    "a character that would cut texts short": ("value.n > 1", b'{"n":"a\\u0000b"}', "not_text", "U+0000"),
    "a number of thousands of digits": ("value.n > 1", b'{"n":%s}' % (b"9" * 5_000), "not_json", "out of range"),
    "bytes that are no text": ('text != "a"', b"\xff", "not_text", "the value is not text"),
}


@pytest.mark.parametrize(("expression", "value", "reason", "detail"), UNFIT.values(), ids=UNFIT)
async def test_a_record_for_which_an_expression_has_no_answer_is_named_and_the_others_go_on(
    expression: str, value: bytes | None, reason: str, detail: str
) -> None:
    """Nothing crashes and nothing is guessed: that record is refused with its reason, what stands around it is not."""
    made = await Filter(expression).apply(batch_of(b'{"n":2}', value, b'{"n":2}'))

    assert [(each.index, each.reason) for each in made.rejected] == [(1, reason)]
    assert detail in made.rejected[0].detail
    assert made.rejected[0].detail.startswith(f"filter {expression}: ")
    assert list(made.batch.positions) == ["10", "12"]


def test_the_library_ends_a_text_at_its_first_nul() -> None:
    """Why such texts are refused: where this fails, facts.py need not look for them any more."""
    environment = cel.NewEnv(variables={"text": cel.Type.STRING})

    assert environment.compile("text").eval(data={"text": "admin\0istrator"}).plain_value() == "admin"


async def test_what_is_nested_too_deeply_is_named() -> None:
    """Whatever looks into it: neither the lane nor the process ends of it."""
    deep = b'{"a":' * 700 + b"1" + b"}" * 700
    for step in (NewValue("value"), EditedValue({}, ["$..b"]), Redact(["$..b"], Mask("x"))):
        made = await step.apply(batch_of(b'{"a":1}', deep))

        assert [(each.index, each.reason) for each in made.rejected] == [(1, "too_deep")]
        assert list(made.batch.values) == [b'{"a":1}']


async def test_what_an_expression_does_not_ask_for_may_be_anything() -> None:
    """Who asks for the key alone passes values that are not JSON, and headers that are not text."""
    batch = batch_of(b"\xff\x00", None, keys=[b"a", b"b"], headers=[(("h", b"\xff"),), ()])

    made = await Filter('key == "b"').apply(batch)

    assert list(made.batch.positions) == ["11"]
    assert made.rejected == ()


@pytest.mark.parametrize("digits", ["18446744073709551616", "123456789012345678901234567890", "-9223372036854775809"])
async def test_a_longer_number_than_the_language_has_keeps_all_its_digits(digits: str) -> None:
    """An integer of more than 64 bits is told as text; what stands beside it is told as it is."""
    batch = batch_of(b'{"id":%s,"n":1}' % digits.encode())

    assert Expressions(["value.id", "value.n + 1"]).answers(batch, 0) == [digits, 2]
    assert list((await Rekey("value.id").apply(batch)).batch.keys) == [digits.encode()]


KEYS = {
    "a text": ("value.id", b'{"id":"a-1"}', b"a-1"),
    "a number": ("value.id", b'{"id":42}', b"42"),
    "a truth": ("value.id == 1", b'{"id":1}', b"true"),
    "several together": ('value.region + "/" + string(value.id)', b'{"id":7,"region":"eu"}', b"eu/7"),
    "a list": ("[value.id, 2]", b'{"id":1}', b"[1,2]"),
    "a time": ("timestamp", b"{}", b"2023-11-14T22:13:20.123000Z"),
    "null": ("value.id", b'{"id":null}', None),
}


@pytest.mark.parametrize(("expression", "value", "expected"), KEYS.values(), ids=KEYS)
async def test_rekey_makes_a_key_of_what_its_expression_gives(
    expression: str, value: bytes, expected: bytes | None
) -> None:
    """Text as it is, all else as JSON writes it, and null is no key; value and position stay."""
    made = await Rekey(expression).apply(batch_of(value, keys=[b"old"]))

    assert list(made.batch.keys) == [expected]
    assert list(made.batch.values) == [value]
    assert list(made.batch.positions) == ["10"]
    assert made.batch.size == len(value) + len(expected or b"")


async def test_map_makes_the_whole_value_the_same_bytes_each_time() -> None:
    """What an expression gives is written as JSON with its keys in order: a map has none of its own."""
    step = NewValue('{"total": value.price * double(value.count), "id": value.id, "at": timestamp, "deep": value.deep}')
    batch = batch_of(b'{"id":"x","price":2.5,"count":4,"deep":{"z":1,"a":[true,null]}}')

    made = [await step.apply(batch) for _ in range(3)]

    expected = b'{"at":"2023-11-14T22:13:20.123000Z","deep":{"a":[true,null],"z":1},"id":"x","total":10.0}'
    assert [list(each.batch.values) for each in made] == [[expected]] * 3


async def test_map_to_null_makes_a_tombstone() -> None:
    """A record can be made the deletion of its key."""
    made = await NewValue("value.deleted ? null : value").apply(batch_of(b'{"deleted":true}', b'{"deleted":false}'))

    assert list(made.batch.values) == [None, b'{"deleted":false}']


async def test_headers_are_removed_then_set_behind_the_others() -> None:
    """Patterns remove; what is set sees what came, replaces all of its name, and is left out where it is null."""
    step = Headers({"tenant": "headers.old + key", "none": "null", "n": "value.n"}, ["x-*", "old"])
    given = (("x-1", b"1"), ("old", b"t"), ("tenant", b"1"), ("keep", None), ("tenant", b"2"), ("none", b"0"))

    made = await step.apply(batch_of(b'{"n":3}', headers=[given]))

    assert made.batch.headers == [(("keep", None), ("tenant", b"tk"), ("n", b"3"))]


async def test_the_last_header_that_goes_leaves_none() -> None:
    """A batch without any header says so, for the sinks that ask."""
    made = await Headers({}, ["*"]).apply(batch_of(b"1", headers=[(("a", b"1"),)]))

    assert made.batch.headers is None


async def test_a_header_that_is_set_takes_no_other_away() -> None:
    """Its name is no pattern; of what is to be removed only the star stands for others."""
    given = (("a", b"1"), ("ab", b"2"), ("x[1]", b"3"), ("x1", b"4"))
    made = await Headers({"a*": '"5"', "x[1]": '"6"'}, ["a?"]).apply(batch_of(b"1", headers=[given]))

    assert made.batch.headers == [(("a", b"1"), ("ab", b"2"), ("x1", b"4"), ("a*", b"5"), ("x[1]", b"6"))]


WRONG = {
    "no expression": ("value.n >", None, "1:10: Syntax error: mismatched input '<EOF>'"),
    "a name that is none": ("valu.n > 1", None, "1:5: undeclared reference to 'valu.n'"),
    "types that never go together": ("partition + 1", None, "1:11: found no matching overload for '_+_'"),
    "a text for a condition": ("partition", "BOOL", "gives STRING, not BOOL"),
    "a call of Python's": ('open("/etc/passwd")', None, "undeclared reference to 'open'"),
    "a way into Python": ("value.__class__.__init__()", None, "undeclared reference to '__init__'"),
}


@pytest.mark.parametrize(("text", "gives", "message"), WRONG.values(), ids=WRONG)
def test_an_expression_that_cannot_be_used_is_refused_before_any_record(
    text: str, gives: str | None, message: str
) -> None:
    """It is known when the configuration is read, with the place in the expression."""
    with pytest.raises(ExpressionError) as raised:
        check(text, gives=gives)

    assert message in str(raised.value)


async def test_an_expression_gives_others_a_turn() -> None:
    """A large batch does not hold up the event loop until its end."""
    assert await turns_during(Filter("value.n > 1").apply(batch_of(*[b'{"n":2}'] * 10_000))) >= 4
