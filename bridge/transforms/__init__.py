"""What a function for ``transforms: - python: MODULE:FUNCTION`` is written with, and tried with (docs: transforms)."""

from bridge.transforms.function import TryAgainError
from connectors.base import Record

__all__ = ["Record", "TryAgainError"]
