"""The mirrors of a process: one life of each, and several of them side by side."""
