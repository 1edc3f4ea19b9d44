"""A file of JSON lines, one record a line: made for dead letters, and read to redrive them."""
