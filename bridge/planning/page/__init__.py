"""The plan as one page to hand on: it needs no network, and nothing can run in it."""
