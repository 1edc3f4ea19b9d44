"""Consumers' places carried from one side of a mirror to the other, exact by the origin that every record carries."""
