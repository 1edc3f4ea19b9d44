"""The mirror that is the way back: from the new side to the old one, of what producers write once they have moved."""

from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from bridge.config import Configuration
from bridge.config.validation import validate
from bridge.config.writing import document_of, without_secrets
from bridge.config.yaml_reader import read_document
from bridge.errors import UsageError
from bridge.migration.log import StreamLog
from bridge.migration.measures.began import start_behind
from bridge.migration.measures.ends import Ends
from bridge.migration.sides import Sides

Codec = Literal["kpl", "envelope", "raw"]

_SUFFIX = "-reverse"
_LONGEST_NAME = 60
_PLACES = {
    "kinesis": ("stream", "region", "endpoint_url", "assume_role_arn"),
    "kafka": ("bootstrap_servers", "msk_cluster_arn", "msk_connectivity", "topic", "auth", "librdkafka"),
}
"""What says where an end is, whether it is read or written."""
_WRITING = ("compression", "framing")
_KEPT = (
    "checkpoint_interval",
    "workers",
    "provenance",
    "on_gap",
    "on_error",
    "dead_letter",
    "limits",
    "log",
    "telemetry",
)


@dataclass(frozen=True, slots=True)
class Reversed:
    """``text`` is a file for ``kmbridge run``, and ``configuration`` what it says."""

    configuration: Configuration
    text: str
    secrets: dict[str, str] = field(repr=False)
    """What the environment has to hold when the file is run, by name: no secret stands in the text."""


async def reversed_mirror(sides: Sides, sink_ends: Ends, codec: Codec = "kpl") -> Reversed:
    """The mirror back from the sink of ``sides`` to its source; nobody has begun it yet.

    ``sink_ends`` are those of the sink before producers moved there: it copies every native record behind them,
    whenever it is started, as long as none has expired. It may begin earlier; what the forward mirror wrote is left
    out by its origin. ``codec`` is the one with which it writes, where it writes into a stream.

    Raises ``UsageError`` where something stands in the way, and what reading the sink raises.
    """
    check_reversible(sides.configuration, codec)
    if isinstance(sides.source, StreamLog) and not sides.source.stream.keeps_order:
        raise UsageError(
            f"reverse mirror {sides.configuration.name}",
            f"records of one key go to any shard of {sides.source.address}, so no order is kept",
            "set its record distribution strategy to USER_PARTITION_KEY",
        )
    start = await start_behind(sides.sink, sink_ends, sides.clock.now_ms())
    return reversed_configuration(sides.configuration, start, codec)


def check_reversible(configuration: Configuration, codec: Codec) -> None:
    """Raises ``UsageError`` where a mirror beside one back would send records in a circle."""
    operation = f"reverse mirror {configuration.name}"
    source = configuration.source.kinesis
    if not configuration.sends_origins:
        cause, hint = "mirrored records carry no origin", "provenance: auto, into Kinesis with codec kpl or envelope"
    elif configuration.on_loop == "pass":
        cause, hint = "it would mirror again what came back", "on_loop: skip"
    elif configuration.checkpoints == "memory":
        cause, hint = "its checkpoints are in memory, and end with its process", "say where they are to stay"
    elif source is None:
        return
    elif codec == "raw":
        cause, hint = "codec raw carries no origin back into the stream", "kpl or envelope"
    elif source.codec not in ("auto", codec):
        cause = f"it reads the stream by codec {source.codec}, and would not know what comes back as {codec}"
        hint = f"source.kinesis.codec: auto, or {codec}"
    elif codec == "kpl" and source.deaggregate == "never":
        cause, hint = "it would not find the origins in aggregates", "source.kinesis.deaggregate: keep_all, or envelope"
    else:
        return
    raise UsageError(operation, cause, hint)


def reversed_configuration(configuration: Configuration, start: str, codec: Codec) -> Reversed:
    """The mirror back, which reads from ``start`` on."""
    root = _exchanged(document_of(configuration), configuration, start, codec)
    secrets = without_secrets(root)
    text = _heading(configuration.name, sorted(secrets)) + yaml.safe_dump(root, sort_keys=False, allow_unicode=True)
    document = read_document(text, f"the way back of mirror {configuration.name}", secrets)
    return Reversed(_located(validate(document), configuration), text, secrets)


def _located(reverse: Configuration, forward: Configuration) -> Configuration:
    """``reverse`` with what is known of its clusters already: they are those of ``forward``."""
    opposite = {"source": "sink", "sink": "source"}
    known = forward.clusters
    found = {key: cluster.located_as(known[opposite.get(key, key)]) for key, cluster in reverse.clusters.items()}
    return reverse.with_clusters(found)


def _exchanged(forward: dict[str, Any], configuration: Configuration, start: str, codec: Codec) -> dict[str, Any]:
    source = _place_of(forward["sink"])
    sink = _place_of(forward["source"])
    for section in source.values():
        section["start"] = start
    if "kinesis" in sink:
        sink["kinesis"]["codec"] = codec
    return {
        "name": configuration.name[: _LONGEST_NAME - len(_SUFFIX)] + _SUFFIX,
        "source": source,
        "sink": sink,
        **{key: forward[key] for key in _KEPT if key in forward},
        **_own_files(configuration, forward),
        **_schemas_back(forward),
        "http": _own_port(configuration, forward),
    }


def _place_of(end: dict[str, dict[str, Any] | None]) -> dict[str, dict[str, Any]]:
    return {
        system: {key: section[key] for key in _PLACES[system] if key in section}
        for system, section in end.items()
        if section
    }


def _schemas_back(forward: dict[str, Any]) -> dict[str, Any]:
    """Who reads the old side asks the old registry. What else is made of records has no opposite."""
    asked = [step["schemas"] for step in forward.get("transforms", ()) if "schemas" in step]
    steps = [{"schemas": {**each, "from": _as_read(each["to"]), "to": each["from"]}} for each in reversed(asked)]
    return {"transforms": steps} if steps else {}


def _as_read(registry: str | dict[str, Any]) -> str | dict[str, Any]:
    """Without what says how records are written for those who ask it."""
    if isinstance(registry, str):
        return registry
    return {
        kind: {key: value for key, value in section.items() if key not in _WRITING}
        for kind, section in registry.items()
        if section is not None
    }


def _own_files(configuration: Configuration, forward: dict[str, Any]) -> dict[str, Any]:
    """What two mirrors at a time cannot have in common; tables, topics and groups have a place for each."""
    found: dict[str, Any] = {}
    checkpoints, letters = forward.get("checkpoints", "auto"), configuration.dead_letter
    if checkpoints != "auto":
        found["checkpoints"] = checkpoints
    if checkpoints != "auto" and (path := configuration.sqlite_path) is not None:
        found["checkpoints"] = {"sqlite": {"path": str(path.with_stem(path.stem + _SUFFIX))}}
    if letters is not None and letters.file is not None:
        path = letters.file.path
        found["dead_letter"] = {"file": {"path": str(path.with_stem(path.stem + _SUFFIX))}}
    return found


def _own_port(configuration: Configuration, forward: dict[str, Any]) -> dict[str, Any] | None:
    """The port after the forward mirror's, which may run on the same machine, guarded as that is."""
    if configuration.http is None or configuration.http.listen is None:
        return None
    host, port = configuration.http.listen
    shown = f"[{host}]" if ":" in host else host
    return {**forward.get("http", {}), "listen": f"{shown}:{port + 1 if 0 < port < 65535 else 0}"}


def _heading(name: str, variables: list[str]) -> str:
    lines = [
        f"The way back of mirror {name}: kmbridge run THIS_FILE",
        "It begins where producers moved; what came from there is left out.",
    ]
    if variables:
        lines.append(f"The environment has to hold {', '.join(variables)}.")
    return "".join(f"# {line}\n" for line in lines)
