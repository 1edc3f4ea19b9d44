"""Numbers of things, as a sentence has them."""


def counted(number: float, noun: str, form: str = "") -> str:
    """``1 record``, ``2 records``; ``form`` is how the number is written, as ``format`` takes it."""
    text = format(number, form)
    return f"{text} {noun if text == '1' else f'{noun}s'}"
