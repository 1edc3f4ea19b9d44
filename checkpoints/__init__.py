"""Where a mirror keeps how far it has come."""
