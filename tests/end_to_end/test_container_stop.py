"""A mirror as the first process of a container, which is told to stop while records come in."""

from tests.support.checker import check_exact
from tests.support.command import COMMAND
from tests.support.container import alone, needs_name_spaces, stopped_under_load
from tests.support.records import generate, ids_by_key
from tests.support.route import RouteFactory


async def test_sigterm_of_the_first_process_drains_every_worker(route: RouteFactory, seed: int) -> None:
    """Under load it exits 0 within the grace period; the next container loses, doubles and swaps nothing."""
    needs_name_spaces()
    path = route()
    mirror = path.mirror({"name": path.topic, "checkpoints": None, "workers": {"session_timeout": "2s"}})
    command = alone([*COMMAND, "run", "--workers", "2", str(mirror.config)])
    sent = list(generate(20_000, 500, seed=seed, size=1_000))
    stops = await stopped_under_load(path, command, sent, path.folder)
    assert stops.codes == [0, 0]
    assert stops.in_time < len(sent), "there was no load any more"
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict
