"""The duplicate window: second copies are told from first ones, and from what is only read again."""

from bridge.engine.window import SIZE, STORED, Window
from connectors.base import Place


def origins(*numbers: int) -> list[bytes | None]:
    return [f"kafka:c:t/0/{number}".encode() for number in numbers]


def settled(window: Window, place: Place, *numbers: int) -> None:
    window.read(place, origins(*numbers))
    window.settle(place)


def test_a_second_copy_is_told_within_a_batch_and_across_batches() -> None:
    """The first passes, whichever batch it is in."""
    window = Window()
    assert window.repeated(origins(1, 2, 1)) == [2]
    settled(window, Place("a"), 1, 2)
    assert window.repeated(origins(3, 2)) == [1]


def test_native_records_are_never_repetitions() -> None:
    """They have no origin by which to tell."""
    assert Window().repeated([None, None]) == []


def test_what_is_read_again_after_a_fault_passes_again() -> None:
    """Only what was settled stays known: else a rewind would lose what had not arrived."""
    window = Window()
    settled(window, Place("a"), 1)
    window.read(Place("b"), origins(2))
    window.read(Place("c"), origins(3))
    window.rewind(Place("a"))
    assert window.repeated(origins(2, 3, 1)) == [2]


def test_a_rewind_to_what_a_commit_confirmed_keeps_that() -> None:
    """The place is ahead of what is settled: what lies up to there is durable."""
    window = Window()
    window.read(Place("a"), origins(1))
    window.read(Place("b"), origins(2))
    window.rewind(Place("a"))
    assert window.repeated(origins(1, 2)) == [0]


def test_a_checkpoint_carries_the_window_of_its_place() -> None:
    """What lies behind the place is not in it: after a restart it is read again."""
    window = Window()
    settled(window, Place("a"), 1)
    window.read(Place("b"), origins(2))
    window.read(Place("c"), origins(3))
    assert Window([window.text(Place("a"))]).repeated(origins(1, 2, 3)) == [0]
    assert Window([window.text(Place("b"))]).repeated(origins(1, 2, 3)) == [0, 1]
    assert Window().text(Place("a")) == ""


def test_a_child_knows_what_both_its_parents_knew() -> None:
    """A second copy may follow a reshard."""
    texts = []
    for number in (1, 2):
        window = Window()
        settled(window, Place("a"), number)
        texts.append(window.text(Place("a")))
    assert Window(texts).repeated(origins(1, 2, 3)) == [0, 1]


def test_the_window_is_bounded() -> None:
    """The oldest are forgotten first; a checkpoint keeps the latest."""
    window = Window()
    settled(window, Place("a"), *range(SIZE))
    settled(window, Place("b"), SIZE)
    assert window.repeated(origins(0, 1)) == [1]
    stored = Window([window.text(Place("b"))])
    assert stored.repeated(origins(SIZE, SIZE - STORED + 1, SIZE - STORED)) == [0, 1]
