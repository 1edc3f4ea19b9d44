"""One failure of several tasks as the failure of the whole."""


def first(errors: ExceptionGroup[Exception]) -> Exception:
    """The failure that ended all other tasks of the group."""
    error = errors.exceptions[0]
    return first(error) if isinstance(error, ExceptionGroup) else error
