"""What a process told of its mirrors, as a picture for a terminal and as lines for a pipe."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bridge.cli.output import age, print_rows
from bridge.telemetry.told import CutoverTold, JobTold, LaneTold, MirrorTold, Told
from connectors.counted import counted

_URGENT = ("failed", "held", "retrying", "paused", "running", "waiting", "complete", "finished")
_COLOURS = {"failed": "bold red", "held": "bold red", "retrying": "yellow", "paused": "yellow", "running": "green"}
_LANE_COLUMNS = ("partition", "state", "lag", "records/s", "written", "checkpoint", "position", "error")
_MIRROR_COLUMNS = (
    "mirror",
    "state",
    "records/s",
    "lag",
    "written",
    "lanes",
    "gaps",
    "retries",
    "throttled",
    "dead letters",
    "skipped",
    "error",
)
_LEFT_OUT = ("position", "checkpoint", "written", "records/s")
"""On a narrow terminal, in this order."""
_ERROR_WIDTH = 30
"""Of an error that is longer, the least that is shown."""
_GAP = 2
_LINES_A_MIRROR = 7
_FEWEST_LANES = 3

Lane = tuple[MirrorTold, LaneTold]


def needs_someone(told: Told) -> bool:
    """Whether a mirror or a lane stands still until a person acts."""
    mirrors = any(mirror.state == "failed" for mirror in told.mirrors)
    return mirrors or any(lane.state in ("failed", "held") for mirror in told.mirrors for lane in mirror.lanes)


def print_lines(told: Told) -> None:
    """A table of the mirrors and one of all lanes, on stdout, for a pipe."""
    print_rows(_MIRROR_COLUMNS, [_mirror_row(mirror) for mirror in told.mirrors])
    print()
    rows = [(mirror.name, *_lane_row(lane)) for mirror, lane in _by_urgency(told)]
    print_rows(("mirror", *_LANE_COLUMNS), rows)
    if told.comparisons:
        print()
        print_rows(
            ("verification", "compared", "differences", "proven"),
            [
                (each.name, str(each.records_total), str(sum(each.differences.values())), each.proven or "-")
                for each in told.comparisons
            ],
        )


def picture(told: Told, height: int, trouble: str = "") -> RenderableType:
    """All mirrors, and as many lanes as fit into ``height`` lines, those first that need someone.

    ``trouble`` is why what is shown is not of now.
    """
    parts: list[RenderableType] = [part for mirror in told.mirrors for part in _mirror(mirror)]
    parts += [
        Text(f"verification of {each.name}: {counted(each.records_total, 'record', ',')}, {_found(each.differences)}")
        for each in told.comparisons
    ]
    room = max(_FEWEST_LANES, height - _LINES_A_MIRROR * len(told.mirrors) - len(told.comparisons) - 4)
    lanes = list(_by_urgency(told))
    parts.append(_Lanes(lanes[:room], has_several=len(told.mirrors) > 1))
    if len(lanes) > room:
        parts.append(Text(f"and {counted(len(lanes) - room, 'more lane', ',')}", style="dim"))
    if trouble:
        parts.insert(0, Text(trouble, style="bold red"))
    return Group(*parts)


def _mirror(mirror: MirrorTold) -> Iterator[RenderableType]:
    head = Text.assemble(
        (mirror.name, "bold"), "  ", _state(mirror.state), (f"  kmbridge {mirror.version}", "dim"), overflow="fold"
    )
    yield head
    yield Text(f"{mirror.source} -> {mirror.sink}", style="dim", overflow="fold")
    if mirror.error is not None:
        yield Text(mirror.error, style="red", overflow="fold")
    yield _figures(
        ("records/s", f"{mirror.records_per_second:,.1f}"),
        ("lag", duration(mirror.lag_seconds)),
        ("oldest checkpoint", duration(mirror.checkpoint_age_seconds)),
        ("written", f"{counted(mirror.records_total, 'record', ',')}, {size(mirror.bytes_total)}"),
        ("in memory", size(mirror.buffered_bytes)),
    )
    yield _figures(
        ("lanes", _states(mirror.lanes)),
        ("gaps", f"{mirror.gaps_total:,}"),
        ("retries", f"{sum(each.total for each in mirror.retries):,}"),
        ("throttled", _total(mirror.throttled)),
        ("dead letters", _total(mirror.dead_letters)),
        ("skipped", _total(mirror.skipped)),
    )
    if mirror.job is not None:
        yield _job(mirror.job)
    if mirror.cutover is not None:
        yield Text(_migration(mirror.cutover), overflow="fold")
    yield Text()


def _figures(*figures: tuple[str, str]) -> Text:
    told = Text(overflow="fold")
    for title, value in figures:
        told.append(f"{title} ", style="dim").append(f"{value}   ")
    return told


def _job(job: JobTold) -> RenderableType:
    row = Table.grid(padding=(0, 2))
    left = "" if job.remaining_s is None else f"{age(round(job.remaining_s * 1000))} left"
    # Rounded down: a hundred percent is said of what is done alone.
    percent = "-" if job.share is None else f"{int(job.share * 100)} %"
    bar = ProgressBar(total=1.0, completed=job.share or 0.0, width=40)
    row.add_row(job.kind, bar, percent, f"{job.records_per_second:,.0f}/s", left)
    return row


def _migration(cutover: CutoverTold) -> str:
    done = sum(step.state == "done" for step in cutover.steps)
    following = next((f", next: {step.title}" for step in cutover.steps if step.state == "next"), "")
    return f"migration {done} of {counted(len(cutover.steps), 'step')} done{following}"


class _Lanes:
    """A table in which all is told whole but the error, which has what is left of the width."""

    def __init__(self, lanes: Sequence[Lane], *, has_several: bool) -> None:
        self._columns = (*(("mirror",) if has_several else ()), *_LANE_COLUMNS)
        self._rows = [dict(zip(self._columns, _cells(*lane, has_several=has_several), strict=True)) for lane in lanes]

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> Iterator[Table]:
        table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="dim", expand=True)
        shown = self._shown(options.max_width)
        for title in shown:
            ratio = 1 if title == "error" else None
            table.add_column(title, justify=_side(title), ratio=ratio, no_wrap=True, overflow="ellipsis")
        for row in self._rows:
            table.add_row(*(row[title] for title in shown))
        yield table

    def _shown(self, width: int) -> Sequence[str]:
        """The columns that fit: where it is narrow those are left out that tell the least."""
        shown = list(self._columns)
        for title in _LEFT_OUT:
            if sum(map(self._width, shown)) <= width:
                break
            shown.remove(title)
        return shown

    def _width(self, title: str) -> int:
        longest = max((row[title].cell_len for row in self._rows), default=0)
        return _GAP + max(len(title), min(longest, _ERROR_WIDTH) if title == "error" else longest)


def _cells(mirror: MirrorTold, lane: LaneTold, *, has_several: bool) -> Sequence[Text]:
    partition, _, *rest, position, error = _lane_row(lane)
    end = Text(f"…{position[-14:]}" if len(position) > 15 else position, style="dim")
    names = (mirror.name, partition) if has_several else (partition,)
    return (*map(Text, names), _state(lane.state), *map(Text, rest), end, Text(error, style="red"))


def _side(title: str) -> Literal["left", "right"]:
    return "right" if title in ("lag", "records/s", "written", "checkpoint") else "left"


def _by_urgency(told: Told) -> Iterator[Lane]:
    lanes = [(mirror, lane) for mirror in told.mirrors for lane in mirror.lanes]
    return iter(sorted(lanes, key=lambda each: (_rank(each[1].state), -each[1].lag_seconds)))


def _rank(state: str) -> int:
    """A state of a later version is as urgent as none in particular."""
    return _URGENT.index(state if state in _URGENT else "running")


def _mirror_row(mirror: MirrorTold) -> tuple[str, ...]:
    return (
        mirror.name,
        mirror.state,
        f"{mirror.records_per_second:.1f}",
        duration(mirror.lag_seconds),
        str(mirror.records_total),
        str(len(mirror.lanes)),
        str(mirror.gaps_total),
        str(sum(each.total for each in mirror.retries)),
        str(sum(mirror.throttled.values())),
        str(sum(mirror.dead_letters.values())),
        str(sum(mirror.skipped.values())),
        mirror.error or "",
    )


def _lane_row(lane: LaneTold) -> tuple[str, ...]:
    return (
        lane.partition,
        lane.state,
        duration(lane.lag_seconds),
        f"{lane.records_per_second:.1f}",
        str(lane.records_total),
        duration(lane.checkpoint_age_seconds),
        lane.position or "-",
        lane.error or "",
    )


def duration(seconds: float | None) -> str:
    """``120ms``, ``3.4s``, and in larger units as ``age`` has them."""
    if seconds is None:
        return "-"
    if 0 < seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    return f"{seconds:.1f}s" if 0 < seconds < 10 else age(round(seconds * 1000))


def size(count: int) -> str:
    left = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if left < 1024:
            return f"{left:.0f} {unit}" if unit == "B" else f"{left:.1f} {unit}"
        left /= 1024
    return f"{left:.1f} TiB"


def _states(lanes: Sequence[LaneTold]) -> str:
    counts = Counter(lane.state for lane in lanes)
    return ", ".join(f"{counts[state]:,} {state}" for state in sorted(counts, key=_rank)) or "none"


def _state(state: str) -> Text:
    return Text(state, style=_COLOURS.get(state, ""))


def _total(counts: dict[str, int]) -> str:
    return f"{sum(counts.values()):,}"


def _found(differences: dict[str, int]) -> str:
    found = ", ".join(f"{number:,} {kind}" for kind, number in differences.items() if number)
    return found or "both sides hold the same"


def console() -> Console:
    """Stdout's, for pictures."""
    return Console(markup=False, highlight=False)
