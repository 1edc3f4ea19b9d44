"""What a source and a sink tell of their load, without a trace in either."""
