"""Several mirrors in one file: what they have in common, and what each of them says itself."""

from collections.abc import Iterator, Sequence

from bridge.config.document import Document, Path, dotted
from bridge.config.errors import ConfigurationError, Problem

_DEFAULTS = "defaults"
_MIRRORS = "mirrors"

OF_THE_PROCESS: tuple[Path, ...] = (("http",), ("log",), ("telemetry",), ("limits", "memory"))
"""Keys that say something of the process, and so of all its mirrors."""


def holds_several(document: Document) -> bool:
    """Whether ``document`` has the form ``defaults: {…}``, ``mirrors: [{…}, …]``."""
    return not document.root.keys().isdisjoint((_DEFAULTS, _MIRRORS))


def entries(document: Document) -> list[Document]:
    """A document each mirror: what its entry says, and the defaults where it says nothing.

    Raises ``ConfigurationError`` for what is out of place; what is in the entries is judged later.
    """
    problems = [*_misplaced(document)]
    if problems:
        raise ConfigurationError(problems)
    defaults = document.part((_DEFAULTS,))
    return [document.part((_MIRRORS, index)).laid_over(defaults) for index in range(len(document.root[_MIRRORS]))]


def agree(documents: Sequence[Document]) -> None:
    """What one of ``documents``, which are of one process, says of the process holds for all of them.

    Raises ``ConfigurationError`` where two say different things.
    """
    for path in OF_THE_PROCESS:
        told = [document for document in documents if [*document.find(path)]]
        for other in told[1:]:
            if [*other.find(path)] != [*told[0].find(path)]:
                first = told[0].mark(path).where
                raise ConfigurationError(
                    [other.problem(path, f"is another than at {first}; all mirrors of a process have the same")]
                )
        for document in documents:
            if told and document not in told:
                marks = {known: mark for known, mark in told[0].marks.items() if known[: len(path)] == path}
                document.put(tuple(map(str, path)), next(told[0].find(path)), marks)


def _misplaced(document: Document) -> Iterator[Problem]:
    for key in document.root.keys() - {_DEFAULTS, _MIRRORS}:
        where = f"{_DEFAULTS}.{key} for all mirrors, or in their entries"
        yield document.problem((key,), f"stands beside {_MIRRORS}; allowed: {where}")
    if not isinstance(document.root.get(_DEFAULTS, {}), dict):
        yield document.problem((_DEFAULTS,), "allowed: a section with keys of a mirror")
    mirrors = document.root.get(_MIRRORS)
    if not isinstance(mirrors, list) or not mirrors:
        yield document.problem((_MIRRORS,), f"allowed: a list of mirrors, as {_MIRRORS}: [{{name: …}}, {{name: …}}]")
        return
    for index, entry in enumerate(mirrors):
        if not isinstance(entry, dict):
            yield document.problem((_MIRRORS, index), "allowed: a section with keys of a mirror")
            continue
        for path in OF_THE_PROCESS:
            at: Path = (_MIRRORS, index, *path)
            if [*document.find(at)]:
                yield document.problem(at, f"is the whole process's; allowed: {_DEFAULTS}.{dotted(path)}")
