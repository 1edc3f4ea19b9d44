import signal
import subprocess
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from bridge.demo.course import Mirroring, perform
from bridge.demo.direction import Direction, kafka_to_kinesis, kinesis_to_kafka
from bridge.demo.embedded_kafka import TopicAddress
from bridge.demo.embedded_kinesis import StreamAddress
from bridge.demo.environment import nobodys_environment
from bridge.demo.live_mirror import stream_into_topic, topic_into_stream
from bridge.demo.workload import Workload
from connectors.base import RefusedError
from tests.bridge.demo.test_course import Silence


@pytest.mark.parametrize(
    ("direction", "mirroring"),
    [(kinesis_to_kafka, stream_into_topic), (kafka_to_kinesis, topic_into_stream)],
    ids=["from Kinesis", "from Kafka"],
)
async def test_the_real_mirror_is_proved_equal(tmp_path: Path, direction: Direction, mirroring: Mirroring) -> None:
    """What ``make demo`` shows, in small: every record there once, every key in order."""
    with nobodys_environment():
        result = await perform(direction, Workload(600, 20), mirroring, tmp_path, Silence())
    assert result.parity.rows() == []
    assert (result.parity.source_records, result.parity.sink_records, result.parity.keys) == (600, 600, 20)


async def test_what_fails_the_mirror_ends_the_demo_with_its_own_error(tmp_path: Path) -> None:
    """A mirror of a stream that does not exist is not waited for, and its message is the demo's."""

    def of_another_stream(
        stream: StreamAddress, topic: TopicAddress, folder: Path
    ) -> AbstractAsyncContextManager[None]:
        return stream_into_topic(StreamAddress(stream.url, "missing"), topic, folder)

    with nobodys_environment(), pytest.raises(RefusedError, match="missing"):
        await perform(kinesis_to_kafka, Workload(10, 2), of_another_stream, tmp_path, Silence())


def test_an_interrupt_ends_everything_and_exits_130(tmp_path: Path) -> None:
    """After Ctrl-C in mid-run there is no server, no folder and no traceback left."""
    demo = subprocess.Popen(
        [sys.executable, "-c", "from bridge.cli.main import main; main(['demo', '--records', '10000000'])"],
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
    )
    assert demo.stderr is not None
    said = []
    for line in demo.stderr:
        said.append(line)
        if line.startswith("written"):
            demo.send_signal(signal.SIGINT)
            break
    said += demo.stderr.readlines()
    demo.stderr.close()
    assert demo.wait() == 130
    assert said[-1] == "interrupted, everything is stopped\n"
    assert "Traceback" not in "".join(said)
    assert list(tmp_path.iterdir()) == []
