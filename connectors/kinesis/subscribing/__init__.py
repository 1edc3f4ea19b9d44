"""One shard read by a subscription: the consumer it is for, its connection, and the frames that come over it."""
