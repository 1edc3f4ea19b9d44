"""What an unsuccessful call means to the caller. Source of the codes: the service model 2012-08-10."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from aiohttp import ClientError as HttpError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
    NoRegionError,
    ParamValidationError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

from checkpoints.base import (
    CheckpointError,
    FencedError,
    StoreFormatError,
    StoreRefusedError,
    StoreUnreachableError,
)
from checkpoints.dynamodb.table import Table

_THROTTLED = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
    }
)
_PASSING = frozenset(
    {
        "InternalServerError",
        "ReplicatedWriteConflictException",
        "RequestTimeout",
        "ServiceUnavailable",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_CONDITION = frozenset({"ConditionalCheckFailed", "ConditionalCheckFailedException"})
_TRANSPORT = (
    BotoConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    HttpError,
    MetadataRetrievalError,
    OSError,
    ResponseParserError,
)
# A transaction is allowed or denied by the actions that it is made of.
_PERMISSIONS = {"TransactWriteItems": "dynamodb:UpdateItem, dynamodb:PutItem and dynamodb:DeleteItem"}

_OTHER_KEYS = ("key element does not match the schema", "missed key schema element")
"""What GetItem and Query say of a table whose items are named otherwise."""
_DENIED = re.compile(r"not authorized to perform: (\w+:\w+)")

_CREDENTIALS_HINT = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine a role; "
    "check the region and this machine's clock"
)


class MissingTableError(StoreRefusedError):
    """There is no such table, or not yet."""


class BeingMadeError(CheckpointError):
    """The table is being created or deleted."""


class OwnershipLostError(FencedError):
    """Another process owns the mirror. Nobody hands a mirror of one worker back, so this one has to end."""

    retriable = False


class ConditionError(CheckpointError):
    """An item is not as the call demands. Nothing was written."""


@contextmanager
def explained(action: str, table: Table) -> Iterator[None]:
    """Turns what goes wrong with a call of ``action`` into an error which names the table and says what to do."""
    try:
        yield
    except ClientError as error:
        raise _refusal(action, table, error) from error
    except _TRANSPORT as error:
        raise StoreUnreachableError(f"{action} on {table}", _text(error), table.purpose.network) from error
    except NoRegionError as error:
        raise StoreRefusedError(f"{action} on {table}", str(error), f"set {table.purpose.section}.region") from error
    except (ParamValidationError, ValueError) as error:
        raise StoreRefusedError(f"{action} on {table}", _text(error), f"check {table.purpose.section}") from error
    except BotoCoreError as error:
        raise StoreRefusedError(f"{action} on {table}", _text(error), _CREDENTIALS_HINT) from error


class _Answer(NamedTuple):
    status: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


def _refusal(action: str, table: Table, error: ClientError) -> CheckpointError:
    tried, answer = f"{action} on {table}", _answer(error)
    if answer.code in _CONDITION:
        return ConditionError(tried, str(answer))
    if answer.code in _THROTTLED:
        return CheckpointError(tried, str(answer), table.purpose.throttled)
    if answer.code in _PASSING or answer.status >= 500 or answer.status in (408, 429):
        return CheckpointError(tried, str(answer), "it is tried again")
    return _final(action, table, tried, answer)


def _final(action: str, table: Table, tried: str, answer: _Answer) -> CheckpointError:
    """The error for an answer that stays the same when asked again."""
    if answer.code == "ResourceInUseException":
        return BeingMadeError(tried, str(answer))
    if answer.code == "ValidationException" and any(words in answer.message for words in _OTHER_KEYS):
        return StoreFormatError(tried, f"another application's table: {answer.message}", table.purpose.foreign)
    kind = MissingTableError if answer.code == "ResourceNotFoundException" else StoreRefusedError
    return kind(tried, str(answer), _hint(action, table, answer))


def _hint(action: str, table: Table, answer: _Answer) -> str:
    if answer.code == "AccessDeniedException":
        hint = f"allow {_permission(action, answer)}, or check which credentials are in use"
        return f"{hint}{table.told(table.purpose.uncreated)}" if action == "CreateTable" else hint
    if answer.code == "ResourceNotFoundException":
        return table.told(table.purpose.missing)
    if answer.code in _CREDENTIALS:
        return _CREDENTIALS_HINT
    return table.purpose.network if answer.code.isdigit() else ""


def _permission(action: str, answer: _Answer) -> str:
    told = _DENIED.search(answer.message)
    return told[1] if told is not None else _PERMISSIONS.get(action, f"dynamodb:{action}")


def _answer(error: ClientError) -> _Answer:
    response = error.response
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    told = response.get("Error", {})
    answer = _Answer(status, str(told.get("Code", "") or f"{status}"), str(told.get("Message", "")))
    if answer.code != "TransactionCanceledException":
        return answer
    reasons = [
        _Answer(status, str(reason["Code"]), str(reason.get("Message") or ""))
        for reason in response.get("CancellationReasons", ())
        if reason.get("Code", "None") != "None"
    ]
    # The condition says most where several reasons come together: a fenced worker need not try again.
    return next((reason for reason in reasons if reason.code in _CONDITION), (*reasons, answer)[0])


def _text(error: Exception) -> str:
    return str(error) or type(error).__name__
