"""Kafka and Amazon MSK, through librdkafka."""
