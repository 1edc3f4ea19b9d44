"""Moving a running system from Kinesis to Kafka or back, its consumers' places kept."""
