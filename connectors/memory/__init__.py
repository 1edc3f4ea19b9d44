"""Sources and sinks that live in memory, with the guarantees of real ones and faults on request.

They serve tests, simulations and people who want to try a mirror without any server. A ``MemoryStream`` has partitions
that can be split and merged like Kinesis shards; a ``MemoryTopic`` has a fixed number of partitions like a Kafka topic.
"""
