"""Wire formats of record values, apart from the systems which carry them."""
