"""What a function for ``transforms: - python: MODULE:FUNCTION`` is written with (docs: transforms).

It is tried with ``bridge.transforms.trial``.
"""

from bridge.transforms.function import BatchFunction, Made, RecordFunction, TryAgainError
from connectors.base import Record

__all__ = ["BatchFunction", "Made", "Record", "RecordFunction", "TryAgainError"]
