"""Under which subject a schema is registered."""

import string
from dataclasses import dataclass

from connectors.base import SettingsError
from connectors.schemas.definition import Field

STRATEGIES = {
    "topic_name": "{topic}-{field}",
    "record_name": "{record}",
    "topic_record_name": "{topic}-{record}",
}
"""By the names that Confluent's serializers give them."""

PLACES = ("topic", "field", "record", "subject")


def places(template: str) -> list[str]:
    """What ``template`` has places for. Raises ``ValueError`` for braces without sense."""
    return [place for _, place, _, _ in string.Formatter().parse(template) if place is not None]


@dataclass(frozen=True, slots=True)
class Naming:
    """``template`` is a strategy's name, or a text with some of ``PLACES`` in braces."""

    template: str
    topic: str
    """The topic, or the stream, that records are written to."""

    @property
    def by_record(self) -> bool:
        """Whether the subject depends on the record's own name."""
        return "record" in places(self._text)

    def subject(self, field: Field, record: str | None, subject: str) -> str:
        """Of a schema for ``record``, its full name, that is under ``subject`` in the other registry.

        Raises ``SettingsError`` where one of the two is asked for, and the schema has none.
        """
        asked = places(self._text)
        for place, given in (("record", record), ("subject", subject)):
            if place in asked and not given:
                raise SettingsError(
                    f"name a subject for a schema of {self.topic}",
                    f"the {field} schema has no {place}",
                    f"set transforms[].schemas.subject to what does without {{{place}}}: topic_name",
                )
        return self._text.format(topic=self.topic, field=field, record=record, subject=subject)

    @property
    def _text(self) -> str:
        return STRATEGIES.get(self.template, self.template)
