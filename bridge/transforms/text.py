"""What an expression gave, as the bytes of a key or of a header."""

from bridge.transforms.json_value import encoded, plain


def as_text(answer: object) -> bytes | None:
    """Text as it is, times as ISO-8601, all else as JSON writes it; None of null.

    Raises ``UnfitError`` for what JSON has no form for.
    """
    if answer is None:
        return None
    told = plain(answer)
    return told.encode() if isinstance(told, str) else encoded(told)
