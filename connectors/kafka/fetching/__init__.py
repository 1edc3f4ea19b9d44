"""How records of a topic's partitions are fetched, and wait until their lanes read on."""
