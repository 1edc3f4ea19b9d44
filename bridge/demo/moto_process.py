"""The process in which the embedded Kinesis runs: prints its port, and ends with its standard input.

It runs apart from the demo so that the two do not share one interpreter lock, and cannot outlive it, however that ends.
"""

import logging
import sys


def serve() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # The demo's own imports do not need it, and it is the slow part of the start.
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    serve()
