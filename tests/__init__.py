"""Tests mirror the packages; what is not a test itself stands in ``tests.support``."""
