"""Orders in a stream, for the quick start: makes the stream where it is missing, and writes records of 100 customers.

python orders.py STREAM COUNT [KINESIS_URL]
"""

import sys

from botocore.exceptions import ClientError
from botocore.session import Session


def main(stream: str, count: str, kinesis_url: str | None = None) -> None:
    kinesis = Session().create_client("kinesis", region_name="eu-west-1", endpoint_url=kinesis_url)
    try:
        kinesis.create_stream(StreamName=stream, ShardCount=4)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":
            raise
    kinesis.get_waiter("stream_exists").wait(StreamName=stream)
    for number in range(int(count)):
        kinesis.put_record(StreamName=stream, PartitionKey=f"customer-{number % 100}", Data=b'{"order": %d}' % number)
    print(f"{count} orders are in {stream}")


if __name__ == "__main__":
    main(*sys.argv[1:])
