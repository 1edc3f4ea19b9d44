"""What an unsuccessful answer means to the caller. Source of the codes: the service model 2013-12-02."""

import msgspec

from connectors.base import ConnectorError, RefusedError, TransientError

_THROTTLED = frozenset(
    {
        "KMSThrottlingException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_PASSING = frozenset({"InternalFailure", "InternalFailureException", "RequestTimeout", "ServiceUnavailable"})

_HINTS = {
    "AccessDeniedException": "grant the permission, or check which credentials are in use",
    "ResourceNotFoundException": "it was deleted, or has another name, region or account",
    "KMSAccessDeniedException": "grant kms:Decrypt on the stream's key",
    "KMSDisabledException": "enable the stream's KMS key",
    "KMSInvalidStateException": "bring the stream's KMS key back into use",
    "KMSNotFoundException": "the stream's KMS key is gone; restore it or change the stream's encryption",
    "KMSOptInRequired": "this account must opt in to KMS in this region",
}
_CREDENTIALS_HINT = "check the access key, the session token, the region, and this machine's clock"
_NO_KINESIS_HINT = "check endpoint_url: it does not answer like Kinesis"


class ThrottledError(TransientError):
    """Asked too often or for too much. Wait, then ask again."""


class LimitError(ThrottledError):
    """A limit of the account or the stream: on how often, or on how many there may be."""


class BusyError(TransientError):
    """Somebody else has it at the moment, or it is not ready yet. Ask again in a while."""


class StaleIteratorError(TransientError):
    """The shard iterator is of no use any more. Get another for the same place."""


class MissingError(RefusedError):
    """The stream, or the shard in it, is not there."""


class InvalidError(RefusedError):
    """An argument was refused."""


class CredentialsError(RefusedError):
    """The credentials are expired, unknown or wrong."""


_NAMED: dict[str, type[ConnectorError]] = {
    "ResourceInUseException": BusyError,
    "ResourceNotFoundException": MissingError,
    "ExpiredIteratorException": StaleIteratorError,
}


class Told(msgspec.Struct):
    """The body of an unsuccessful answer. Servers write its message in one way or the other."""

    type: str = msgspec.field(name="__type", default="")
    small: str = msgspec.field(name="message", default="")
    capital: str = msgspec.field(name="Message", default="")

    @property
    def message(self) -> str:
        return self.small or self.capital


def fault(operation: str, target: str, status: int, code: str, message: str) -> ConnectorError:
    """The error for an answer with ``status`` that names ``code``, "HTTP …" if none. ``target`` says who answered."""
    tried = f"{operation} at {target}"
    cause = f"{code}: {message}" if message else code
    kind = _kind(operation, status, code)
    if kind is CredentialsError:
        return kind(tried, cause, _CREDENTIALS_HINT)
    if kind is RefusedError and code.startswith("HTTP "):
        return kind(tried, cause, _NO_KINESIS_HINT)
    return kind(tried, cause, _HINTS.get(code, ""))


def _kind(operation: str, status: int, code: str) -> type[ConnectorError]:
    if code == "LimitExceededException":
        return LimitError
    if code in _THROTTLED or status == 429:
        return ThrottledError
    if status >= 500 or status == 408 or code in _PASSING:
        return TransientError
    if code in _CREDENTIALS:
        return CredentialsError
    if code in {"InvalidArgumentException", "ValidationException"}:
        return StaleIteratorError if operation == "GetRecords" else InvalidError
    return _NAMED.get(code, RefusedError)
