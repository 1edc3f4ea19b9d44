"""What an operator asks for: the one place that knows YAML, endpoint URLs and their mistakes."""

from bridge.config.configuration import Configuration
from bridge.config.errors import ConfigurationError, Problem
from bridge.config.family import Family
from bridge.config.loading import Mirrors, load, load_all

__all__ = ["Configuration", "ConfigurationError", "Family", "Mirrors", "Problem", "load", "load_all"]
