"""Work with an end: a range copied, sent again, compared."""
