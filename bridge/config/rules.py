"""What one section may say beside what another says. Each rule raises the error of the key that has to change."""

from collections.abc import Callable

from bridge.config.mirror import MirrorSection
from bridge.config.section import at

Rule = Callable[[MirrorSection], None]


def dead_letters_have_a_place(asked: MirrorSection) -> None:
    if asked.on_error == "dead_letter" and asked.dead_letter is None:
        raise at("on_error", "stop; or dead_letter beside the key dead_letter, which says where to")


def dead_letters_are_apart(asked: MirrorSection) -> None:
    topic = asked.dead_letter.kafka if asked.dead_letter is not None else None
    if topic is not None and topic.topic == asked.sink.kafka.topic:
        raise at("dead_letter.kafka.topic", "another topic than that of the sink")


def nothing_is_among_the_checkpoints(asked: MirrorSection) -> None:
    place = asked.checkpoint_topic
    if place is None or not asked.checkpoints_in_sink:
        return
    dead_letter = asked.dead_letter.kafka if asked.dead_letter is not None else None
    for key, topic in (("sink.kafka.topic", asked.sink.kafka), ("dead_letter.kafka.topic", dead_letter)):
        if topic is not None and topic.topic == place.topic:
            raise at(key, "another topic than that of the checkpoints, which is in the same cluster")


def a_transaction_holds_the_checkpoints(asked: MirrorSection) -> None:
    if asked.sink.kafka.delivery == "exactly_once" and not asked.checkpoints_in_sink:
        raise at(
            "sink.kafka.delivery",
            "at_least_once beside checkpoints that are not in the sink's cluster; exactly_once takes "
            "checkpoints: auto, or kafka: {…} without bootstrap_servers of another cluster",
        )


RULES: tuple[Rule, ...] = (
    dead_letters_have_a_place,
    dead_letters_are_apart,
    nothing_is_among_the_checkpoints,
    a_transaction_holds_the_checkpoints,
)
"""In the order in which they are tried: the first that is broken is told."""
