"""What an operator asks for: the one place that knows YAML, endpoint URLs and their mistakes."""

from bridge.config.configuration import Configuration
from bridge.config.errors import ConfigurationError, Problem
from bridge.config.loading import load

__all__ = ["Configuration", "ConfigurationError", "Problem", "load"]
