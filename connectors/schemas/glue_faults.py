"""What an unsuccessful call of AWS Glue means to the caller. Source of the codes: the service model 2017-03-31."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import ClientError as HttpError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
    NoCredentialsError,
    NoRegionError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

from connectors.base import ConnectorError, RefusedError, SettingsError, TransientError, UnreachableError

_TRANSPORT = (
    BotoConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    HttpError,
    MetadataRetrievalError,
    OSError,
    ResponseParserError,
)
_PASSING = frozenset(
    {
        "ConcurrentModificationException",
        "InternalServiceException",
        "OperationTimeoutException",
        "RequestTimeout",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
    }
)
_HINTS = {
    "AccessDeniedException": "grant glue:{operation}",
    "ResourceNumberLimitExceededException": "raise the quota of schema versions, or delete old ones",
    "InvalidInputException": "what Glue takes is narrower: look at the schema, and at the name it is to have",
}
_CREDENTIALS = "check which credentials are in use, and the region"


class MissingEntityError(RefusedError):
    """The registry, the schema or the version is not there."""


class TakenError(RefusedError):
    """It is there already."""


_NAMED: dict[str, type[ConnectorError]] = {
    "EntityNotFoundException": MissingEntityError,
    "AlreadyExistsException": TakenError,
}


@contextmanager
def explained(operation: str) -> Iterator[None]:
    """Turns what aiobotocore raises into a ``ConnectorError``."""
    try:
        yield
    except NoRegionError as error:
        raise SettingsError(operation, "no region is given", "set glue.region, or AWS_REGION") from error
    except NoCredentialsError as error:
        hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine a role"
        raise RefusedError(operation, "there are no AWS credentials", hint) from error
    except ClientError as error:
        raise _fault(operation, error) from error
    except _TRANSPORT as error:
        raise UnreachableError(operation, str(error), "check the network, and glue.region or endpoint_url") from error
    except BotoCoreError as error:
        raise RefusedError(operation, str(error), _CREDENTIALS) from error


def _fault(operation: str, error: ClientError) -> ConnectorError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    cause = f"{code}: {error.response.get('Error', {}).get('Message', '')}"
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status >= 500 or status == 429 or code in _PASSING:
        return TransientError(operation, cause)
    hint = _HINTS.get(code, _CREDENTIALS).format(operation=error.operation_name)
    return _NAMED.get(code, RefusedError)(operation, cause, hint)
