"""Servers to test against, and generators and checkers of records."""
