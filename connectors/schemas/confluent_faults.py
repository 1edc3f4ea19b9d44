"""What an unsuccessful call of a schema registry means. Source: Confluent's API reference, "Errors"."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka.schema_registry.error import SchemaRegistryError
from httpx2 import HTTPError

from connectors.base import ConnectorError, RefusedError, TransientError, UnreachableError

_ABSENT = range(40400, 40500)
"""Codes of a registry that has no such thing; a server that is none answers 404 without such a code."""
_HINTS = {
    401: "check username and password",
    403: "grant it to this user",
    404: "check url: it does not answer like a schema registry",
    409: "it is not compatible with those before it: set the subject's compatibility to NONE, or change subject",
    422: "look at the schema, and at the name it is to have",
}


class AbsentError(RefusedError):
    """The registry has no such schema, subject or version."""


@contextmanager
def explained(operation: str) -> Iterator[None]:
    """Turns what the client raises into a ``ConnectorError``."""
    try:
        yield
    except SchemaRegistryError as error:
        raise _fault(operation, error) from error
    except (HTTPError, OSError) as error:
        cause = str(error) or type(error).__name__
        raise UnreachableError(operation, cause, "check url, the network, and tls where it is https") from error
    except (TypeError, ValueError) as error:
        raise RefusedError(operation, f"the answer cannot be read: {error}", _HINTS[404]) from error


def _fault(operation: str, error: SchemaRegistryError) -> ConnectorError:
    status, cause = error.http_status_code, f"{error.error_message} (HTTP {error.http_status_code})"
    if status >= 500 or status in (408, 429):
        return TransientError(operation, cause)
    if status == 404 and error.error_code in _ABSENT:
        return AbsentError(operation, cause)
    return RefusedError(operation, cause, _HINTS.get(status, ""))
