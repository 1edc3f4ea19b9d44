"""What is published, made and tried before anyone else gets it: ``python -m release``."""
