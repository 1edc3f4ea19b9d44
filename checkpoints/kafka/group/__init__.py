"""Checkpoints as the committed offsets of the group that reads a topic: for any number of workers."""
