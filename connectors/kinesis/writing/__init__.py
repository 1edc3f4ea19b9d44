"""Records on their way into a stream with PutRecords: each key in order, each shard at its rate."""
