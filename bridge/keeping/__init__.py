"""Where a mirror's checkpoints are by its configuration: kept by a worker, seen and changed by people."""
