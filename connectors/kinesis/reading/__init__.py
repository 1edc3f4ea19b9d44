"""One shard read: from where, how fast, how much, and what the answers mean."""
