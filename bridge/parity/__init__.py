"""Proof that two sides hold the same records in the same order, or a list of what differs."""
