"""The engine and everything an operator calls."""
