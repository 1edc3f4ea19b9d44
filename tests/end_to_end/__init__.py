"""Whole paths against a real Kafka broker and a real Kinesis server."""
