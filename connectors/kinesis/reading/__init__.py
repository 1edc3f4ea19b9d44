"""One shard read with GetRecords: how fast, how much, from where, and what the answers mean."""
