"""How much may wait for one commit."""

from bridge.engine.allowance import Allowance

MIB = 2**20


def test_a_slow_sink_gets_transactions_that_it_can_commit_in_time() -> None:
    """Whatever the memory: after a commit that took long, the next one is made for two seconds."""
    allowance = Allowance(64 * MIB)
    allowance.took(8.0, 40 * MIB)
    assert allowance.size == 10 * MIB


def test_fast_commits_give_the_room_back_up_to_the_memory() -> None:
    """By doubling, and only while the room is used."""
    allowance = Allowance(64 * MIB)
    allowance.took(8.0, 40 * MIB)
    allowance.took(0.5, MIB)
    assert allowance.size == 10 * MIB
    for _ in range(5):
        allowance.took(0.5, allowance.size)
    assert allowance.size == 64 * MIB


def test_what_fails_again_and_again_becomes_small_and_never_nothing() -> None:
    """A transaction that its broker ended for its length passes in the end."""
    allowance = Allowance(64 * MIB)
    for _ in range(20):
        allowance.failed()
    assert allowance.size == MIB
