"""Checkpoints and documents in a file beside the mirror: for one worker, with nothing to install."""
