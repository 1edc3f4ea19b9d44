"""A migration, step by step: what is done, what comes next, and the way back until the last one."""
