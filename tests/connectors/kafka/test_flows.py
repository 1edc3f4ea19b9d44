"""How much is fetched ahead, and for whom."""

from collections.abc import Mapping, Sequence

from confluent_kafka import KafkaError

from connectors.kafka.fetching.chunk import Chunk
from connectors.kafka.fetching.flows import Flows
from connectors.kafka.fetching.inbox import Inbox

_LIMIT = 1000


class Fetched:
    """An assignment that remembers what is fetched, and from where."""

    def __init__(self) -> None:
        self.starts: dict[int, int] = {}

    def assign(self, starts: Mapping[int, int]) -> None:
        assert not self.starts.keys() & starts.keys()
        self.starts.update(starts)

    def unassign(self, partitions: Sequence[int]) -> None:
        for partition in partitions:
            del self.starts[partition]


class World:
    """Lanes whose chunks have one record each, of a size in memory."""

    def __init__(self, lanes: int) -> None:
        self.fetched = Fetched()
        self.flows = Flows(self.fetched, _LIMIT)
        self.lanes = [Inbox(number) for number in range(lanes)]
        for lane in self.lanes:
            lane.is_asking = True
            self.flows.begin(lane, 0)

    def put(self, lane: int, *sizes: int) -> None:
        for size in sizes:
            start = self.flows.following(lane)
            assert start is not None
            self.flows.put(lane, Chunk(start, start + 1, [str(start)], [None], [None], [1], memory=size))

    def is_full(self) -> bool:
        return self.flows.is_full

    def take(self, lane: int) -> int:
        """Read all that waits; the offset that follows."""
        inbox = self.lanes[lane]
        chunk = inbox.take(10 * _LIMIT)
        assert chunk is not None
        self.flows.taken(inbox, chunk.memory)
        return chunk.following


async def test_a_lane_that_does_not_read_on_rests_with_its_share_and_resumes_where_it_was() -> None:
    """The others are fetched meanwhile; what it holds is kept."""
    world = World(2)
    world.lanes[0].is_asking = False
    world.put(0, 200, 100)
    assert world.fetched.starts.keys() == {1}
    world.put(1, 100)
    assert not world.is_full()
    assert world.take(0) == 2
    assert world.fetched.starts[0] == 2


async def test_lanes_that_wait_for_the_budget_hold_all_up_and_lose_nothing() -> None:
    """Any other lane would have to wait behind them; while nothing is fetched, callbacks are served."""
    world = World(3)
    world.put(0, 600)
    world.put(1, 500)
    assert world.is_full()
    world.flows.relieve()
    assert world.flows.held == 1100
    assert world.fetched.starts == {}
    assert not world.is_full()
    world.take(0)
    assert world.fetched.starts == {0: 1, 2: 0}


async def test_what_waits_for_lanes_that_do_not_read_is_dropped_when_all_is_full() -> None:
    """Their oldest chunks last, and it is fetched again from where it was dropped."""
    world = World(6)
    for lane in range(5):
        world.lanes[lane].is_asking = False
        world.put(lane, 150, 90)
    assert world.is_full()
    world.flows.relieve()
    assert world.flows.held <= _LIMIT // 2
    assert not world.is_full()
    world.put(5, 100)
    dropped = [lane for lane in range(5) if not len(world.lanes[lane])]
    kept = [lane for lane in range(5) if len(world.lanes[lane])]
    assert dropped
    assert kept
    for lane in dropped:
        world.lanes[lane].is_asking = True
        world.flows.asked(world.lanes[lane])
        assert world.fetched.starts[lane] == 0
    for lane in kept:
        assert world.take(lane) == 1
        assert world.fetched.starts[lane] == 1


async def test_a_lane_that_asks_while_others_sleep_on_all_the_room_gets_some() -> None:
    """Even if nothing is fetched any more, so that nobody would be held up."""
    world = World(5)
    for lane in range(4):
        world.lanes[lane].is_asking = False
    world.flows.end(world.lanes[4])
    for lane in range(4):
        world.put(lane, 260)
    assert world.fetched.starts == {}
    world.flows.begin(world.lanes[4], 7)
    assert world.is_full()
    world.flows.relieve()
    world.flows.asked(world.lanes[4])
    assert world.fetched.starts == {4: 7}
    assert not world.is_full()


async def test_a_lane_that_left_holds_nothing_and_one_that_follows_begins_anew() -> None:
    """Late words of the one before do not concern it."""
    world = World(1)
    before = world.lanes[0]
    world.put(0, 500)
    after = Inbox(0)
    world.flows.begin(after, 40)
    assert (world.flows.held, world.fetched.starts) == (0, {0: 40})
    world.flows.taken(before, 500)
    world.flows.end(before)
    assert (world.flows.held, world.fetched.starts) == (0, {0: 40})


async def test_a_fault_comes_behind_what_was_fetched() -> None:
    """And nothing more is fetched for that lane."""
    world = World(2)
    world.put(0, 10)
    world.flows.fail(0, KafkaError(KafkaError.OFFSET_OUT_OF_RANGE))
    assert world.fetched.starts.keys() == {1}
    assert world.lanes[0].due() == 10
    assert world.lanes[0].fault is not None
    assert world.lanes[1].fault is None
