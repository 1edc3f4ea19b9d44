"""What every client of AWS here is told alike."""

import os


def told_region(given: str | None) -> str | None:
    """``given``, else the environment's AWS_REGION; None where botocore is to look.

    Botocore reads AWS_DEFAULT_REGION alone; AWS's own containers, and its other tools, know this one.
    """
    return given or os.environ.get("AWS_REGION")
