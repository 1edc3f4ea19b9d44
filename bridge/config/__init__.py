"""What an operator asks for: the one place that knows YAML, endpoint URLs and their mistakes."""

from bridge.config.errors import ConfigurationError, Problem
from bridge.config.loading import load
from bridge.config.models import Configuration

__all__ = ["Configuration", "ConfigurationError", "Problem", "load"]
