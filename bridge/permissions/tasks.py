"""What each task asks for, beside what the mirror itself needs."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum

from bridge.config import Configuration
from bridge.permissions import actions
from bridge.permissions.actions import allow
from bridge.permissions.parts import Consumers, Parts, parts_of
from bridge.permissions.places import Stream, Surroundings, Table, Topic
from bridge.permissions.policy import Policy, Statement


class Task(StrEnum):
    RUN = "run"
    """``run`` and ``backfill``; ``replay`` too, but to another place."""
    VERIFY = "verify"
    RESET = "reset"
    TRANSLATE = "translate"
    CUTOVER = "cutover"
    DOCTOR = "doctor"
    REMOVE_CONSUMER = "remove-consumer"
    """``fan-out remove``."""
    PLAN = "plan"
    ENTER = "enter"
    """To be let in at the clusters, whatever is done there."""
    TRANSFORM = "transform"
    """To transform records, by functions of Lambda or between registries of Glue: a part of those tasks that do."""
    DISCOVER = "discover"
    """``run`` with a pattern in place of the source's name, beside what each mirror needs."""


_UNKNOWN = Surroundings()


def policy_for(
    configuration: Configuration,
    tasks: Collection[Task] = (Task.RUN,),
    around: Surroundings = _UNKNOWN,
) -> Policy:
    """What whoever does ``tasks`` for the mirror of ``configuration`` has to be allowed, and no more.

    ``around`` says what a configuration does not: account, default region, MSK cluster. At a cluster that is not
    entered by IAM rights are ACLs, which are no part of this. With ``assume_role_arn`` the rights on that end are to be
    the role's, and all others those of who assumes it.
    """
    return needed(parts_of(configuration, around), tasks)


def needed(parts: Parts, tasks: Collection[Task]) -> Policy:
    """The same for ``parts``."""
    return Policy.of(statement for task in Task if task in tasks for statement in _NEEDS[task](parts))


def _run(parts: Parts) -> Iterator[Statement]:
    yield from actions.read(parts.source)
    yield from actions.subscribe(parts.source)
    for end in (parts.sink, parts.dead_letters):
        if end is not None:
            yield from actions.write(end)
        if isinstance(end, Topic) and not parts.transactional:
            yield from actions.write_idempotently(end.cluster)
    if isinstance(parts.sink, Stream):
        # What had reached the stream is read back after a crash.
        yield from actions.read(parts.sink)
    elif parts.creates_sink:
        yield from actions.create(parts.sink)
    yield from _checkpoints(parts)
    yield from _transform(parts)


def _checkpoints(parts: Parts) -> Iterator[Statement]:
    if isinstance(parts.source, Topic):
        # Whoever reads asks who coordinates this group; offsets are shown in it where the checkpoints are no offsets.
        show = actions.see_group if parts.checkpoints_in_group else actions.work_in_group
        yield from show(parts.source.cluster, parts.shown_group)
    match parts.checkpoints:
        case Table() as table:
            yield from actions.keep_in_table(table)
        case Topic() as topic:
            yield from actions.keep_in_topic(topic)
            yield from actions.work_in_group(topic.cluster, parts.group)
            yield from actions.write_in_transactions(topic.cluster, parts.name)
        case None if parts.checkpoints_in_group and isinstance(parts.source, Topic):
            yield from actions.work_in_group(parts.source.cluster, parts.group)
        case None:
            pass


def _look(parts: Parts) -> Iterator[Statement]:
    """Where the mirror stands, and whether it runs, seen by somebody who changes neither."""
    match parts.checkpoints:
        case Table() as table:
            yield from actions.look_into_table(table)
        case Topic() as topic:
            yield from actions.read(topic)
            yield from actions.see_group(topic.cluster, parts.group)
        case None if parts.checkpoints_in_group and isinstance(parts.source, Topic):
            yield from actions.see_group(parts.source.cluster, parts.group)
        case None:
            pass


def _verify(parts: Parts) -> Iterator[Statement]:
    """Both sides are read, and records that are missing are transformed anew."""
    yield from _compare(parts)
    yield from _transform(parts)


def _transform(parts: Parts) -> Iterator[Statement]:
    for function in parts.functions:
        yield from actions.call(function)
    for registry in parts.schemas_read:
        yield from actions.read_schemas(registry)
    for registry in parts.schemas_written:
        yield from actions.write_schemas(registry)


def _compare(parts: Parts) -> Iterator[Statement]:
    """Both sides are read, and what was rejected too."""
    yield from actions.read(parts.source)
    yield from actions.read(parts.sink)
    if parts.dead_letters is not None:
        yield from actions.read(parts.dead_letters)


def _reset(parts: Parts) -> Iterator[Statement]:
    yield from _checkpoints(parts)
    if isinstance(parts.checkpoints, Table):
        yield allow("ResetCheckpoints", actions.RESET_CHECKPOINTS, parts.checkpoints.arn)


def _translate(parts: Parts) -> Iterator[Statement]:
    """Both sides are read, and of the consumers what they had is read and what they get is written."""
    yield from _compare(parts)
    yield from _look(parts)
    for each in parts.consumers:
        yield allow("ReadLeases", actions.READ_LEASES, each.leases.arn)
        yield allow("WriteLeases", actions.WRITE_LEASES, each.leases.arn)
        yield from _move_group(parts, each)


def _move_group(parts: Parts, consumers: Consumers) -> Iterator[Statement]:
    for end in (parts.source, parts.sink):
        if isinstance(end, Topic):
            yield from actions.move_group(end.cluster, consumers.group)


def _cutover(parts: Parts) -> Iterator[Statement]:
    """What ``translate`` needs, a place to write the course down, and a look at the mirror that is the way back."""
    yield from _translate(parts)
    yield from _transform(parts)
    if isinstance(parts.checkpoints, Table):
        yield from actions.keep_documents(parts.checkpoints)
    if parts.documents is not None:
        cluster = parts.documents.cluster
        yield from actions.keep_in_topic(parts.documents)
        yield from actions.write_in_transactions(cluster, parts.name)
        yield from actions.work_in_group(cluster, parts.group)
        yield from actions.see_group(cluster, f"{parts.group}-reverse")


def _doctor(parts: Parts) -> Iterator[Statement]:
    """What it finds out by trying, and who else reads a stream."""
    yield from _run(parts)
    for end in (parts.source, parts.sink):
        if isinstance(end, Stream):
            yield allow("SeeConsumers", ("kinesis:ListStreamConsumers",), end.arn)
            # Neither is asked about one stream alone.
            yield allow("SeeFunctions", ("lambda:ListEventSourceMappings",), "*")
            yield allow("ListDeliveryStreams", ("firehose:ListDeliveryStreams",), "*")
            yield allow("SeeDeliveryStreams", ("firehose:DescribeDeliveryStream",), end.delivery_streams)


def _remove_consumer(parts: Parts) -> Iterator[Statement]:
    """Nobody may be at work meanwhile, which whoever owns the checkpoints knows."""
    yield from actions.reach(parts.source)
    if isinstance(parts.source, Stream):
        yield from actions.remove_consumer(replace(parts.source, consumer=parts.source.consumer or parts.group))
    yield from _checkpoints(parts)


def _plan(parts: Parts) -> Iterator[Statement]:
    """The source's load, counted by CloudWatch or seen in its records, what the sink is, and prices."""
    yield from actions.read(parts.source)
    yield from actions.look_at(parts.sink)
    if isinstance(parts.source, Stream):
        yield allow("SeeConsumers", ("kinesis:ListStreamConsumers",), parts.source.arn)
        yield allow("SeeMetrics", ("cloudwatch:GetMetricStatistics",), "*")
    yield allow("SeePrices", ("pricing:GetProducts",), "*")


def _enter(parts: Parts) -> Iterator[Statement]:
    for end in (parts.source, parts.sink):
        yield from actions.reach(end)


def _discover(parts: Parts) -> Iterator[Statement]:
    """What there is, is asked of all that there is."""
    if isinstance(parts.source, Stream):
        yield allow("ListStreams", ("kinesis:ListStreams",), "*")
    else:
        yield from actions.list_topics(parts.source.cluster)


_NEEDS: Mapping[Task, Callable[[Parts], Iterator[Statement]]] = {
    Task.RUN: _run,
    Task.VERIFY: _verify,
    Task.RESET: _reset,
    Task.TRANSLATE: _translate,
    Task.CUTOVER: _cutover,
    Task.DOCTOR: _doctor,
    Task.REMOVE_CONSUMER: _remove_consumer,
    Task.PLAN: _plan,
    Task.ENTER: _enter,
    Task.TRANSFORM: _transform,
    Task.DISCOVER: _discover,
}
