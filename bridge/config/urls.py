"""Two endpoint URLs in place of a file."""

from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from bridge.config.configuration import Configuration
from bridge.config.document import Document, Mark
from bridge.config.errors import ConfigurationError, Problem
from bridge.config.keys import split_key
from bridge.config.librdkafka import is_secret
from bridge.config.names import STREAM_ARN, mirror_name

_FORMS = {
    "kinesis": "kinesis://[REGION]/STREAM[?endpoint_url=…&start=…]",
    "kafka": "kafka://HOST:PORT[,HOST:PORT…]/TOPIC[?…]",
}


def is_url(argument: str) -> bool:
    """Whether a command's argument is meant as a URL rather than as a file."""
    return "://" in argument


def put_url(document: Document, end: str, url: str) -> None:
    """Write what ``url`` says into section ``end``, ``source`` or ``sink``. Raises ``ConfigurationError``."""
    where = f"{end} URL"
    parts = _split(url, where)
    prefix = (end, parts.scheme)
    document.marks.setdefault((end,), Mark(where))
    document.marks.setdefault(prefix, Mark(where))
    for key, text in (*_named(parts, where), *_query(parts, where)):
        path = split_key(key, Configuration, prefix)
        if is_secret(path[-1]):
            raise _error(where, f"found a secret, {key}; allowed: secrets in a file, by ${{VAR}}")
        document.put(path, text, {path: Mark(where, None, text)})


def derived_name(document: Document) -> str:
    """``STREAM-to-TOPIC`` in the letters a name may have; of other pairs each end is preceded by what tells it apart.

    So two mirrors in opposite directions have two names. Where letters had to be changed or cut, a hash of the two ends
    follows, so that others get another name.
    """
    (source, read), (sink, written) = (next(iter(document.root[end].items())) for end in ("source", "sink"))
    names = [str(section.get("stream") or section.get("topic")).rpartition("/")[2] for section in (read, written)]
    if (source, sink) != ("kinesis", "kafka"):
        before = (source, sink) if source != sink else (_place(read), _place(written))
        names = [f"{place}-{name}" for place, name in zip(before, names, strict=True)]
    return mirror_name("-to-".join(names))


def _place(section: Mapping[str, str]) -> str:
    """Where an end is, for telling it from another of its kind."""
    if "bootstrap_servers" in section:
        return min(section["bootstrap_servers"].split(","))
    arn = STREAM_ARN.fullmatch(section["stream"])
    region = section.get("region", "default") if arn is None else arn["region"]
    return urlsplit(section.get("endpoint_url", "")).netloc or region


def _split(url: str, where: str) -> SplitResult:
    parts = urlsplit(url)
    form = _FORMS.get(parts.scheme)
    if form is None:
        raise _error(where, f'found scheme "{parts.scheme}"; allowed: {" or ".join(_FORMS.values())}')
    if "@" in parts.netloc:
        raise _error(where, f"found credentials before the host; allowed: {form}, secrets in a file by ${{VAR}}")
    path = parts.path.strip("/")
    if parts.fragment or not path or ("/" in path and STREAM_ARN.fullmatch(path) is None):
        raise _error(where, f"does not have the form {form}")
    return parts


def _named(parts: SplitResult, where: str) -> Iterator[tuple[str, str]]:
    """The keys that a URL's place and path stand for."""
    target = unquote(parts.path.strip("/"))
    if parts.scheme == "kinesis":
        yield "stream", target
        if parts.netloc:
            yield "region", parts.netloc
        return
    if not parts.netloc:
        raise _error(where, f"found no host; allowed: {_FORMS['kafka']}")
    yield "topic", target
    yield "bootstrap_servers", parts.netloc


def _query(parts: SplitResult, where: str) -> Iterator[tuple[str, str]]:
    """Keys and values; a plus sign stays one, for it belongs to times."""
    seen = set()
    for pair in filter(None, parts.query.split("&")):
        key, equals, text = pair.partition("=")
        if not equals or key in seen:
            raise _error(
                where, f"found {key} {'twice' if equals else 'without a value'}; allowed: each key once, KEY=VALUE"
            )
        seen.add(key)
        yield unquote(key), unquote(text)


def _error(where: str, message: str) -> ConfigurationError:
    return ConfigurationError([Problem(where, "", message)])
