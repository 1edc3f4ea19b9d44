"""Measures the mirror beside a hand-written loop and the server's own ceiling: ``make bench``."""
