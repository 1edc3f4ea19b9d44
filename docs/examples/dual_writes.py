"""An application that writes orders to Kafka and to Kinesis, and lets Kinesis decide at last.

python dual_writes.py KAFKA TOPIC STREAM [KINESIS_URL]
"""

import asyncio
import sys
from pathlib import Path

from bridge.migration.dual_write import DualWriter, DualWriteSettings, KafkaTarget, KinesisTarget


async def main(kafka: str, topic: str, stream: str, kinesis_url: str | None = None) -> None:
    settings = DualWriteSettings(
        name="orders",
        authority=KafkaTarget(kafka, topic),
        shadow=KinesisTarget(stream, region="eu-west-1", endpoint_url=kinesis_url),
        spool=Path("orders.spool.db"),
    )
    async with DualWriter(settings) as writer:
        written = await writer.send(b"customer-7", b'{"order": 1}', headers=[("trace", b"f00d")])
        print(f"{written.id} is at {written.place}")

        # Records of a key stand in the order of the calls, however many are under way.
        await asyncio.gather(*(writer.send(b"customer-7", b'{"order": %d}' % number) for number in range(2, 100)))

        # From here on the stream decides, also after a restart; the topic follows, as the way back.
        await writer.swap()
        await writer.send(b"customer-7", b'{"order": 100}')
        print(f"the authority is {writer.counts().authority}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
