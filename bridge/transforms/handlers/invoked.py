"""A handler that AWS Lambda runs."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from types import TracebackType
from typing import Any, NoReturn, Self

import msgspec
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from aiohttp import ClientError as HttpError
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from bridge.transforms.handlers.handler import Handler, HandlerError
from bridge.transforms.patience import Patience
from connectors.aws import told_region
from connectors.base import RefusedError, TransientError, UnreachableError

_ENTER_S = 22.0
_CONNECT_S = 5.0
_LATER_S = 5.0
_ATTEMPTS = 4
_LANES = 50
"""Calls at the same time."""

_BROKEN = frozenset(
    {
        "Runtime.HandlerNotFound",
        "Runtime.ImportModuleError",
        "Runtime.InvalidEntrypoint",
        "Runtime.InvalidWorkingDir",
        "Runtime.MalformedHandlerName",
        "Runtime.UserCodeSyntaxError",
    }
)
"""The function cannot start, whatever it is given."""

_PASSING = frozenset({"ResourceConflictException", "SnapStartNotReadyException", "ResourceNotReadyException"})
"""It is being deployed: statuses 409 and 502."""

_HINTS = {
    "AccessDeniedException": "grant lambda:InvokeFunction on it",
    "ResourceNotFoundException": "check transforms[].lambda.function, and the region",
}


class _Failure(msgspec.Struct):
    errorMessage: str = ""  # noqa: N815 - Lambda's name
    errorType: str = "Unhandled"  # noqa: N815


class Invoked(Handler):
    """Called by ``Invoke``, which waits for the answer.

    Throttling, lost connections and faults of the service are met by botocore with a few more attempts and its own
    pauses: a call whose answer was lost is made again.
    """

    def __init__(self, function: str, region: str | None, endpoint_url: str | None, timeout_s: float) -> None:
        """``function`` as Invoke takes it: a name, NAME:ALIAS, or an ARN."""
        self._function = function
        self._region = region
        self._endpoint_url = endpoint_url
        self._patience = Patience(self.name, timeout_s)
        self._opened = AsyncExitStack()
        self._client: Any = None

    @property
    def name(self) -> str:
        return f"lambda {self._function}"

    @property
    def remedy(self) -> str:
        return "once the function is mended there, kmbridge lane retry asks it again"

    async def __aenter__(self) -> Self:
        config = AioConfig(
            connect_timeout=_CONNECT_S,
            # Whoever waits for the call gives up first: else it would be made again at that moment.
            read_timeout=self._patience.timeout_s + _LATER_S,
            max_pool_connections=_LANES,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            warm_up_loader_caches=True,
        )
        region = told_region(self._region)
        creating = AioSession().create_client(
            "lambda", region_name=region, endpoint_url=self._endpoint_url, config=config
        )
        async with AsyncExitStack() as stack:
            with _explained(self._function):
                async with asyncio.timeout(_ENTER_S):
                    self._client = await stack.enter_async_context(creating)
                    # It runs nothing: whether the function is there, and whether we may call it.
                    await self._client.invoke(FunctionName=self._function, InvocationType="DryRun")
            self._opened = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    async def call(self, event: bytes) -> bytes:
        with _explained(self._function):
            return await self._patience.wait(self._answer(event))

    async def _answer(self, event: bytes) -> bytes:
        answer = await self._client.invoke(FunctionName=self._function, Payload=event)
        async with answer["Payload"] as stream:
            payload: bytes = await stream.read()
        if "FunctionError" in answer:
            self._raise(payload)
        return payload

    def _raise(self, payload: bytes) -> NoReturn:
        try:
            failure = msgspec.json.decode(payload, type=_Failure)
        except msgspec.DecodeError:
            failure = _Failure(payload.decode(errors="replace"))
        error = HandlerError(failure.errorType, failure.errorMessage)
        if failure.errorType in _BROKEN:
            raise RefusedError(f"call {self.name}", str(error), "the function cannot start as it is deployed")
        raise error


@contextmanager
def _explained(function: str) -> Iterator[None]:
    operation = f"invoke function {function}"
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
        if code == "RequestTooLargeException" or status == 413:
            raise HandlerError("RequestTooLarge", message) from error
        if status == 429 or status >= 500 or code in _PASSING:
            raise TransientError(operation, f"{code}: {message}") from error
        raise RefusedError(operation, f"{code}: {message}", _HINTS.get(code, "")) from error
    except (NoCredentialsError, NoRegionError) as error:
        raise RefusedError(operation, str(error), "set credentials and a region as for the AWS tools") from error
    except (BotoCoreError, HttpError, OSError) as error:
        cause = str(error) or "no answer in time"
        raise UnreachableError(operation, cause, "check the network, and the region") from error
