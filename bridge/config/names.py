"""Names and addresses of what a mirror works with, as their owners allow them."""

import hashlib
import re
from collections.abc import Iterable
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from bridge.config.quantities import allowed, host_port

NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,59}$"
STREAM_ARN = re.compile(
    r"arn:aws[a-z-]*:kinesis:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):stream/[a-zA-Z0-9_.-]{1,128}"
)
CONSUMER_ARN = re.compile(STREAM_ARN.pattern + r"/consumer/[a-zA-Z0-9_.-]{1,128}:\d+")
_STREAM = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_TABLE = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+")
_INSTANCE = re.compile(r"[a-zA-Z0-9._-]{1,200}")


def _name(value: str) -> str:
    if not re.fullmatch(NAME_PATTERN, value):
        raise allowed("1 to 60 of a-z, 0-9 and -, the first a letter or a digit")
    return value


def _stream(value: str) -> str:
    if not (_STREAM.fullmatch(value) or STREAM_ARN.fullmatch(value)):
        raise allowed("a stream's name (a-z, A-Z, 0-9, _ . -) or its ARN")
    return value


def _stream_name(value: str) -> str:
    if not _STREAM.fullmatch(value):
        raise allowed("a stream's name: 1 to 128 of a-z, A-Z, 0-9, _ . -")
    return value


def _consumer(value: str) -> str:
    if not (_STREAM.fullmatch(value) or CONSUMER_ARN.fullmatch(value)):
        raise allowed("a consumer's name (1 to 128 of a-z, A-Z, 0-9, _ . -) or its ARN")
    return value


def _topic(value: str) -> str:
    if not _TOPIC.fullmatch(value) or value in (".", ".."):
        raise allowed("a topic's name: 1 to 249 of a-z, A-Z, 0-9, . _ -")
    return value


def _table(value: str) -> str:
    if not _TABLE.fullmatch(value):
        raise allowed("a table's name: 3 to 255 of a-z, A-Z, 0-9, _ . -")
    return value


def _role_arn(value: str) -> str:
    if not _ROLE_ARN.fullmatch(value):
        raise allowed("the ARN of a role, as arn:aws:iam::ACCOUNT:role/NAME")
    return value


def _instance(value: str) -> str:
    if not _INSTANCE.fullmatch(value):
        raise allowed("null, or 1 to 200 of a-z, A-Z, 0-9, . _ -, another for each worker")
    return value


def _endpoint(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", value) or not _has_address(value):
        raise allowed("a URL, as http://127.0.0.1:4567")
    return value


def _has_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def listed(value: Any, what: str) -> Any:
    """A list; or text with commas, as options and URLs give it. ``what`` it is to be is said of all else."""
    each = value.split(",") if isinstance(value, str) else value
    if not isinstance(each, list) or not each:
        raise allowed(what)
    return tuple(one.strip() if isinstance(one, str) else one for one in each)


def _servers(value: Any) -> Any:
    return listed(value, "a list of HOST:PORT, as [b-1:9098, b-2:9098]")


def _server(value: str) -> str:
    host_port(value)
    return value


def mirror_name(text: str) -> str:
    """``text`` in the letters and the length of a mirror's name.

    Where it had to be changed a hash of it follows, so that no two texts get one name.
    """
    name = re.sub(r"[^a-z0-9-]+", "-", text.lower()).strip("-")
    if name == text and len(name) <= 60:
        return name
    return f"{name[:51].strip('-')}-{hashlib.sha256(text.encode()).hexdigest()[:8]}".lstrip("-")


def same_cluster(some: Iterable[str], others: Iterable[str]) -> bool:
    """Whether two lists of brokers, or ARNs, have one in common, which makes them lists of the same cluster.

    A broker's address and an ARN have nothing in common, whatever the cluster is.
    """
    return not _addresses(some).isdisjoint(_addresses(others))


def _addresses(names: Iterable[str]) -> set[tuple[str, int]]:
    brokers = {(host.lower(), port) for host, port in (host_port(name) for name in names if not _is_arn(name))}
    return brokers | {(name, 0) for name in names if _is_arn(name)}


def _is_arn(name: str) -> bool:
    return name.startswith("arn:")


Name = Annotated[str, AfterValidator(_name)]
Stream = Annotated[str, AfterValidator(_stream)]
StreamName = Annotated[str, AfterValidator(_stream_name)]
ConsumerName = Annotated[str, AfterValidator(_consumer)]
Topic = Annotated[str, AfterValidator(_topic), Field(description="The topic's name.")]
Table = Annotated[str, AfterValidator(_table)]
Instance = Annotated[str, AfterValidator(_instance)]
RoleArn = Annotated[str, AfterValidator(_role_arn)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
Servers = Annotated[tuple[Annotated[str, AfterValidator(_server)], ...], BeforeValidator(_servers)]
