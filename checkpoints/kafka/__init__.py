"""Checkpoints in a compacted topic of a Kafka cluster: for any number of workers."""
