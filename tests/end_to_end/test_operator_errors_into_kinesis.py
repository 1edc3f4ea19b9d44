"""Mistakes and losses as the operator of a mirror from Kafka into Kinesis meets them."""

import json
from binascii import a2b_base64
from dataclasses import replace

from tests.end_to_end.test_operator_errors import ENDPOINT, FAILED, judge
from tests.support import topics
from tests.support.checker import check_exact
from tests.support.command import Finished, run_command
from tests.support.ports import HOST, free_port
from tests.support.records import generate, ids_by_key
from tests.support.topic_writer import TopicMessage, write_topic
from tests.support.way import IntoKinesis, IntoKinesisFactory

RAW = {"sink": {"kinesis": {"codec": "raw"}}}

UNFIT = {
    "null_key": TopicMessage(None, b"value"),
    "empty_key": TopicMessage(b"", b"value"),
    "binary_key": TopicMessage(b"\xff", b"value"),
    "long_key": TopicMessage(b"k" * 257, b"value"),
    "null_value": TopicMessage(b"key", None),
    "headers": TopicMessage(b"key", b"value", (("name", b"value"),)),
}
"""What ``raw`` would lose, by the reason that it names."""


async def _run(path: IntoKinesis) -> Finished:
    return await run_command("run", path.mirror().config)


async def test_nobody_listens_at_the_sink(into_kinesis: IntoKinesisFactory) -> None:
    """The message names the address."""
    path, nowhere = into_kinesis(), f"http://{HOST}:{free_port()}"
    judge(await _run(path.through(sink=path.sink.at(nowhere))), ENDPOINT, nowhere)


async def test_nobody_listens_at_the_source(into_kinesis: IntoKinesisFactory) -> None:
    """The message names the address."""
    path, nowhere = into_kinesis(), f"{HOST}:{free_port()}"
    judge(await _run(path.through(source=path.source.at(nowhere))), ENDPOINT, nowhere)


async def test_the_sink_does_not_exist(into_kinesis: IntoKinesisFactory) -> None:
    """The message names it, and where it was looked for."""
    path = into_kinesis()
    judge(await _run(path.through(sink=replace(path.sink, name="no-such"))), ENDPOINT, "no-such", path.sink.url)


async def test_the_source_does_not_exist(into_kinesis: IntoKinesisFactory) -> None:
    """The message names it, and where it was looked for."""
    path = into_kinesis()
    judge(
        await _run(path.through(source=replace(path.source, name="no-such"))), ENDPOINT, "no-such", path.source.address
    )


async def test_raw_stops_before_what_it_would_lose(into_kinesis: IntoKinesisFactory) -> None:
    """The message says why, and what keeps it; what stands before has been written."""
    path = into_kinesis(partitions=1)
    write_topic(path.source.address, path.source.name, [TopicMessage(b"key", b"before"), UNFIT["headers"]])
    finished = await run_command("run", path.mirror(RAW).config)
    assert finished.code == FAILED
    for named in ("the record has headers (name), and Kinesis has none", "codec: kpl or envelope keeps it"):
        assert named in finished.err
    assert [entry.data for entry in await path.sink.entries()] == [b"before"]


async def test_raw_sends_elsewhere_what_it_would_lose(into_kinesis: IntoKinesisFactory) -> None:
    """Every such record is in the file and counted by its reason; the others are in the stream, unchanged."""
    path = into_kinesis(partitions=1)
    kept = TopicMessage(b"key", b"value that is kept")
    write_topic(path.source.address, path.source.name, [*UNFIT.values(), kept])
    letters = path.folder / "dead.jsonl"
    elsewhere = {"on_error": "dead_letter", "dead_letter": {"file": {"path": str(letters)}}}
    async with path.mirror({**RAW, **elsewhere}) as mirror:
        await mirror.until_written(1)
        for reason in UNFIT:
            assert await mirror.metric("kmbridge_dead_letter_records_total", reason=reason) == 1, reason
        assert await mirror.stop() == 0
    assert [(entry.key, entry.data) for entry in await path.sink.entries()] == [("key", kept.value)]
    lines = [json.loads(line) for line in letters.read_text().splitlines()]
    found = [
        tuple(None if line[name] is None else a2b_base64(line[name]) for name in ("key", "value")) for line in lines
    ]
    assert found == [(message.key, message.value) for message in UNFIT.values()]


async def test_the_groups_offsets_are_gone(into_kinesis: IntoKinesisFactory) -> None:
    """The stream holds records of the mirror, and nothing says where it stood: a named gap, no silent start anew."""
    path = into_kinesis(partitions=1)
    await path.write(generate(100, 10))
    async with path.mirror({"name": path.sink.name, "checkpoints": None}) as mirror:
        await path.until_arrived(100)
        assert await mirror.stop() == 0
        topics.delete_group(path.source.address, f"kmbridge-{path.sink.name}")
        finished = await run_command("run", mirror.config)
    judge(finished, FAILED, "checkpoints are gone", path.sink.name, "checkpoints set")
    assert len(await path.sink.records()) == 100


async def test_the_source_is_made_anew_while_it_is_mirrored(into_kinesis: IntoKinesisFactory) -> None:
    """Its lanes stand and say so, a restart names the gap, and ``on_gap: continue`` mirrors all of the new topic.

    Also where the mirror was killed, though the stream holds records from the same offsets of the old one.
    """
    path = into_kinesis(partitions=2)
    sent = list(generate(300, 10))
    await path.write(sent[:100])
    async with path.mirror() as mirror:
        await path.until_arrived(100)
        topics.delete_topic(path.source.address, path.source.name)
        topics.create_topic(path.source.address, path.source.name, 2)
        # At no offset that has not been read of the old topic: until the change is seen, such would be mirrored.
        await path.write(sent[100:140])
        await mirror.until_printed("the topic was recreated", times=2)
        await path.write(sent[140:])
        await mirror.kill()
    judge(await run_command("run", mirror.config), FAILED, "recreated", path.source.name, "on_gap: continue")
    async with path.mirror({"on_gap": "continue"}) as mirror:
        await path.until_arrived(300)
        assert await mirror.stop() == 0
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict
