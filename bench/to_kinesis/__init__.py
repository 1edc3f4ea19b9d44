"""The other direction: a topic into a stream, beside the loop that people write for it."""
