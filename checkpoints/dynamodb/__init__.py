"""Checkpoints in a table of Amazon DynamoDB: one worker a mirror, many mirrors a table."""
