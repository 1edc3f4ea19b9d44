"""Changes of single fields: what is not named stays as it was written."""

import hashlib
import hmac

import pytest

from bridge.transforms.map import EditedValue, NewValue
from bridge.transforms.paths import OnePlace, PathError, Places
from bridge.transforms.redact import Cover, KeyedHash, Mask, Redact, Removal
from tests.bridge.transforms.shard_batches import batch_of
from tests.bridge.transforms.turns import turns_during

EXACT = (
    b'{"price":12.50,"id":123456789012345678901234567890,"e":1E+400,"t":"\xc3\xa4\xe2\x82\xac","z":{},"a":[null,-0.0]}'
)


async def test_all_that_is_not_named_keeps_its_digits_and_its_order() -> None:
    """Trailing zeros, numbers of any length and the order of fields pass through a change of another field."""
    made = await EditedValue({"$.new": "1"}, ["$.gone"]).apply(batch_of(EXACT[:-1] + b',"gone":{"b":1}}'))

    assert list(made.batch.values) == [EXACT[:-1] + b',"new":1}']


async def test_fields_are_removed_before_others_are_set_from_the_value_as_it_came() -> None:
    """A field can be renamed, and objects on the way to a new one are made."""
    step = EditedValue({"$.to.b": "value.from.a", "$.n": "value.n + 1"}, ["$.from", "$..secret"])

    made = await step.apply(batch_of(b'{"from":{"a":[1]},"n":1,"deep":[{"secret":1,"x":{"secret":2}}]}'))

    assert list(made.batch.values) == [b'{"n":2,"deep":[{"x":{}}],"to":{"b":[1]}}']


async def test_several_elements_of_a_list_are_removed_as_they_were_numbered() -> None:
    """What is removed first does not move what is to be removed next."""
    made = await EditedValue({}, ["$.l[0]", "$.l[2]", "$.l[?@ == 4]"]).apply(batch_of(b'{"l":[0,1,2,3,4]}'))

    assert list(made.batch.values) == [b'{"l":[1,3]}']


@pytest.mark.parametrize("value", [b"no JSON", b"[1]", b'{"a":1}', b'{"a":[]}'])
async def test_a_value_into_which_a_field_cannot_be_put_is_named(value: bytes) -> None:
    """Where there is no object to put it into, the record is refused."""
    made = await EditedValue({"$.a.b": "1"}, []).apply(batch_of(value))

    assert [(each.index, each.reason) for each in made.rejected] == [(0, "not_json")]
    assert len(made.batch) == 0


@pytest.mark.parametrize(
    "step", [EditedValue({"$.a": "1.0 / 0.0"}, []), NewValue("[0.0 / 0.0]"), NewValue("-1.0 / 0.0")]
)
async def test_a_number_that_json_does_not_have_is_not_written_as_null(step: EditedValue | NewValue) -> None:
    """A sum that went wrong names its record, and makes no tombstone of it."""
    made = await step.apply(batch_of(b"{}"))

    assert [(each.index, each.reason) for each in made.rejected] == [(0, "not_json")]


async def test_nobody_waits_until_all_large_values_are_changed() -> None:
    """Others have their turn between records that take long, however few there are."""
    value = b'{"a":[' + b",".join([b'{"b":1}'] * 3_000) + b"]}"

    assert await turns_during(Redact(["$..c"], Mask("x")).apply(batch_of(*[value] * 10))) >= 5


async def test_a_tombstone_stays_one() -> None:
    """There is nothing in it to change or to cover, whatever is asked."""
    for step in (EditedValue({"$.a": "value.b"}, ["$.c"]), Redact(["$..a"], Mask("x"))):
        made = await step.apply(batch_of(None))

        assert list(made.batch.values) == [None]
        assert made.rejected == ()


def _hash(text: str) -> bytes:
    return hmac.digest(b"secret", text.encode(), hashlib.sha256).hex().encode()


COVERS = {
    "a mask": (Mask("***"), b'{"email":"***","n":1.50,"to":[{"email":"***"},{"email":"***"}]}'),
    "nothing": (Removal(), b'{"n":1.50,"to":[{},{}]}'),
    "a hash": (
        KeyedHash("secret"),
        b'{"email":"%s","n":1.50,"to":[{"email":"%s"},{"email":"%s"}]}'
        % (_hash("a@b"), _hash("a@b"), _hash('{"x":1}')),
    ),
}


@pytest.mark.parametrize(("cover", "expected"), COVERS.values(), ids=COVERS)
async def test_redact_covers_every_place_that_a_path_leads_to(cover: Cover, expected: bytes) -> None:
    """Each once, also where two paths lead there, in the form that was asked for; the same gives the same hash."""
    value = b'{"email":"a@b","n":1.50,"to":[{"email":"a@b"},{"email":{"x":1}}]}'

    made = await Redact(["$.email", "$..email"], cover).apply(batch_of(value))

    assert list(made.batch.values) == [expected]


@pytest.mark.parametrize("value", [b"email=a@b", b'{"email":"a@b"', b'\xff{"email":"a@b"}'])
async def test_what_cannot_be_read_does_not_pass_redaction(value: bytes) -> None:
    """A value in which fields cannot be found is refused, and its content is not told."""
    made = await Redact(["$.email"], Removal()).apply(batch_of(value))

    assert [each.reason for each in made.rejected] == ["not_json"]
    assert "a@b" not in made.rejected[0].detail
    assert len(made.batch) == 0


async def test_a_name_that_is_written_in_escapes_is_found() -> None:
    r"""``\u0065mail`` is email, and so is every repetition of it."""
    made = await Redact(["$.email"], Mask("x")).apply(batch_of(b'{"\\u0065mail":"a@b","email":"c@d"}'))

    assert list(made.batch.values) == [b'{"email":"x"}']


@pytest.mark.parametrize("path", ["email", "$", "$.a[", "$.a | $.b", ""])
def test_what_is_no_path_to_fields_is_refused(path: str) -> None:
    """It is known before any record."""
    with pytest.raises(PathError):
        Places([path])


@pytest.mark.parametrize("path", ["$.a[0]", "$.a[*]", "$..a", "$.*"])
def test_what_leads_to_no_single_field_cannot_be_set(path: str) -> None:
    """Names alone lead to one place, whether it is there yet or not."""
    with pytest.raises(PathError):
        OnePlace(path)
