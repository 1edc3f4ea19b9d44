"""A record of which a step can make nothing."""

MENDED = "a step that was mended works from a restart on"
"""The remedy of what a step in this process refuses."""


class UnfitError(Exception):
    """Says of one record what is wrong with it, for a person; it goes the way of ``on_error``."""

    def __init__(self, reason: str, detail: str) -> None:
        """``reason`` is a short word for metrics: ``not_json``."""
        super().__init__(detail)
        self.reason = reason
