"""Moves records from a source to a sink: in order, without loss, within a byte budget. Knows no brand and no YAML."""
