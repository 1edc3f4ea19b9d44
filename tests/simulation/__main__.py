"""Run simulations by seed: ``python -m tests.simulation FIRST [COUNT]``."""

import logging
import sys

import structlog

from tests.simulation.life import simulate


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    first = int(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for seed in range(first, first + count):
        simulate(seed)


if __name__ == "__main__":
    main()
