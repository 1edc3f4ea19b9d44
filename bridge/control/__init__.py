"""Orders of an operator to the lanes of a running mirror: how they come, and who carries them out."""
