"""How fast records may go: rates that are kept, and the spacing that they had."""
