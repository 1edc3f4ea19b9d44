"""The real engine over the in-memory connectors, in virtual time, with seeded faults."""
