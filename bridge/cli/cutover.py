"""``kmbridge cutover``: a migration, step by step, with a way back until the last."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import typer

from bridge.cli.arguments import Json, Name, Settings, Targets, located_configuration
from bridge.cli.failure import FAILED
from bridge.cli.output import print_json, print_rows
from bridge.cli.stop import leaving
from bridge.config import Configuration
from bridge.config.urls import is_url
from bridge.keeping.documents import documents_of
from bridge.migration.cutover.cutover import Cutover
from bridge.migration.cutover.live import live_scene
from bridge.migration.cutover.record import Between, Record
from bridge.migration.cutover.report import CutoverReport, Move, StepReport, StepState
from bridge.migration.steps.path import path
from bridge.telemetry.logging import LogFormat, configure_logging
from connectors.base import Clock

T = TypeVar("T")

cutover = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@cutover.callback()
def _group() -> None:
    """Move a running system from one side of a mirror to the other: consumers, then producers, each key in order.

    The configuration's section cutover names what moves. Every step has a gate that is measured; what only people can
    do is told, and checked by its effect. State is kept beside the checkpoints: any machine can go on.
    """


@cutover.command("plan", epilog="Example: kmbridge cutover plan orders.yaml")
def plan(targets: Targets, name: Name = None, settings: Settings = None, as_json: Json = False) -> None:
    """Show the whole way for this configuration, with what every gate says now. Changes nothing."""
    _survey(_Call(targets, name, settings), as_json=as_json, is_measured=True)


@cutover.command("status", epilog="Example: kmbridge cutover status orders.yaml")
def status(targets: Targets, name: Name = None, settings: Settings = None, as_json: Json = False) -> None:
    """Show which steps are done and what comes next. Changes nothing, and measures nothing."""
    _survey(_Call(targets, name, settings), as_json=as_json, is_measured=False)


@cutover.command("advance", epilog="Example: kmbridge cutover advance orders.yaml")
def advance(targets: Targets, name: Name = None, settings: Settings = None, as_json: Json = False) -> None:
    """Take the next step. Exits 1 where its gate does not hold, with what is missing and what people do about it."""
    _move(_Call(targets, name, settings), Cutover.advance, as_json=as_json)


@cutover.command("rollback", epilog="Example: kmbridge cutover rollback orders.yaml")
def rollback(targets: Targets, name: Name = None, settings: Settings = None, as_json: Json = False) -> None:
    """Undo the last step: consumers are translated back, producers return behind a barrier of their own."""
    _move(_Call(targets, name, settings), Cutover.rollback, as_json=as_json)


@cutover.command("finish", epilog="Example: kmbridge cutover finish orders.yaml")
def finish(targets: Targets, name: Name = None, settings: Settings = None, as_json: Json = False) -> None:
    """Take the last step. There is no way back from there."""
    _move(_Call(targets, name, settings), Cutover.finish, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Call:
    """What a command was called with."""

    targets: Sequence[str]
    name: str | None
    settings: Sequence[str] | None

    @property
    def mirror(self) -> tuple[str, ...]:
        """The command that runs the mirror which is meant."""
        name = () if self.name is None else ("--name", self.name)
        settings = (word for each in self.settings or () for word in ("--set", each))
        return ("kmbridge", "run", *self.targets, *name, *settings)

    def configuration(self) -> Configuration:
        asked = located_configuration(self.targets, self.name, self.settings)
        configure_logging(LogFormat(asked.log.format), asked.log.level)
        return asked


def _survey(call: _Call, *, as_json: bool, is_measured: bool) -> None:
    asked = call.configuration()

    async def looked(cutover: Cutover, between: Between) -> CutoverReport:
        steps, course = await cutover.survey(is_measured=is_measured)
        return CutoverReport(asked.name, between.old, between.new, steps, course.told, course.is_finished)

    report = _run(asked, call, looked)
    print_json(report.to_json()) if as_json else _print(report)


def _move(call: _Call, command: Callable[[Cutover], Awaitable[Move]], *, as_json: bool) -> None:
    async def moved(cutover: Cutover, _: Between) -> Move:
        return await command(cutover)

    move = _run(call.configuration(), call, moved)
    print_json(move.to_json()) if as_json else _print_move(move)
    if not move.is_done:
        raise typer.Exit(FAILED)


def _run(asked: Configuration, call: _Call, work: Callable[[Cutover, Between], Awaitable[T]]) -> T:
    async def run() -> T:
        async with _opened(asked, call) as (cutover, between):
            return await work(cutover, between)

    with leaving("stopped; what it was at is taken up by the same command"):
        return asyncio.run(run())


@asynccontextmanager
async def _opened(asked: Configuration, call: _Call) -> AsyncIterator[tuple[Cutover, Between]]:
    clock = Clock()
    folder = Path() if is_url(call.targets[0]) else Path(call.targets[0]).parent
    async with (
        documents_of(asked, clock) as documents,
        live_scene(asked, call.mirror, folder / f"{asked.name}-reverse.yaml", clock) as scene,
    ):
        yield Cutover(path(scene), Record(documents, scene.between)), scene.between


def _print(report: CutoverReport) -> None:
    rows = [
        (str(number), each.name, each.title, each.state.value, _gate(each))
        for number, each in enumerate(report.steps, 1)
    ]
    print_rows(("", "step", "what is so when it is done", "state", "gate"), rows)
    print(f"{report.mirror}: from {report.old} to {report.new}")
    if report.is_finished:
        print("finished: there is no way back")
    elif (following := report.next) is not None:
        if report.told and report.told != following.task:
            print(f"first: {report.told}")
        print(f"next: {following.name}{f': {following.task}' if following.task else ''}")


def _gate(step: StepReport) -> str:
    if step.holds is None:
        return "held" if step.state is StepState.DONE else "when its turn comes"
    return "; ".join(filter(None, (*step.figures, step.missing and f"missing: {step.missing}")))


def _print_move(move: Move) -> None:
    for figure in move.figures:
        print(f"  {figure}")
    if not move.is_done:
        print(f"not yet: {move.step}: {move.missing}")
        print(f"to do: {move.task}" if move.task else "to do: nothing but this command again")
        return
    print(f"{'undone' if move.command == 'rollback' else 'done'}: {move.step}: {move.title}")
    if move.task:
        print(f"to do: {move.task}")
    if move.following:
        print(f"next: {move.following}")
