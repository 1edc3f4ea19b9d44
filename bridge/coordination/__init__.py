"""Which worker of a mirror owns which of its partitions."""
