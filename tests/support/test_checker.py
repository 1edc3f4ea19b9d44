"""The checker passes what is right, and above all fails what is not."""

import pytest

from tests.support.checker import check_exact, check_folded

SENT = {b"a": [0, 2, 4, 6], b"b": [1, 3, 5]}


def test_the_same_records_in_order_pass_both_checks() -> None:
    assert check_exact(SENT, SENT).ok
    assert check_folded(SENT, SENT).ok


def test_a_missing_record_is_named() -> None:
    arrived = {b"a": [0, 2, 6], b"b": [1, 3, 5]}
    for verdict in (check_exact(SENT, arrived), check_folded(SENT, arrived)):
        assert not verdict.ok
        assert verdict.missing == ("b'a': 4",)
        assert not verdict.disordered


def test_a_missing_key_is_all_of_its_records() -> None:
    assert len(check_exact(SENT, {b"a": [0, 2, 4, 6]}).missing) == 3


def test_a_record_under_another_key_is_missing_there_and_unexpected_here() -> None:
    verdict = check_exact(SENT, {b"a": [0, 2, 4], b"b": [1, 3, 5, 6]})
    assert verdict.missing == ("b'a': 6",)
    assert verdict.unexpected == ("b'b': 6",)


def test_a_swap_fails_both_checks() -> None:
    arrived = {b"a": [0, 4, 2, 6], b"b": [1, 3, 5]}
    assert check_exact(SENT, arrived).disordered == ("b'a'",)
    assert not check_folded(SENT, arrived).ok


def test_a_second_arrival_fails_only_the_exact_check() -> None:
    arrived = {b"a": [0, 2, 2, 4, 6], b"b": [1, 3, 5]}
    assert check_exact(SENT, arrived).repeated == ("b'a': 2",)
    assert check_folded(SENT, arrived).ok


@pytest.mark.parametrize(
    "walk",
    [
        pytest.param([0, 2, 4, 2, 4, 6], id="suffix sent again"),
        pytest.param([0, 2, 4, 0, 2, 0, 2, 4, 6], id="re-run cut short by another one"),
        pytest.param([0, 2, 4, 6, 0, 2, 4, 6], id="everything twice"),
    ],
)
def test_a_contiguous_re_run_is_folded(walk: list[int]) -> None:
    verdict = check_folded({b"a": [0, 2, 4, 6]}, {b"a": walk})
    assert verdict.ok
    assert verdict.rerun == len(walk) - 4


@pytest.mark.parametrize(
    "walk",
    [
        pytest.param([0, 2, 4, 0, 4, 6], id="hole in the re-run"),
        pytest.param([0, 2, 4, 2, 6], id="re-run breaks off and the sequence leaps on"),
        pytest.param([0, 4, 2, 4, 6], id="first arrivals swapped, then sent again in order"),
        pytest.param([2, 4, 6, 0], id="the first one last"),
    ],
)
def test_what_is_not_a_contiguous_re_run_fails(walk: list[int]) -> None:
    assert not check_folded({b"a": [0, 2, 4, 6]}, {b"a": walk}).ok


def test_records_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="told apart"):
        check_exact({b"a": [1, 1]}, {b"a": [1, 1]})


def test_the_text_counts_and_names_a_few() -> None:
    verdict = check_exact({b"a": list(range(100))}, {})
    assert str(verdict) == (
        "0 of 100 records arrived, 0 of them as re-run; missing: 100, as b'a': 0, b'a': 1, b'a': 2, b'a': 3, b'a': 4"
    )
