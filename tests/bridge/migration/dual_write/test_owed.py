"""The order in which the shadow gets what the authority has."""

from pathlib import Path

from bridge.migration.dual_write.intent import Intent
from bridge.migration.dual_write.journal import Journal
from bridge.migration.dual_write.journal_file import Roles
from bridge.migration.dual_write.owed import Owed


async def test_intents_come_out_as_they_were_made(tmp_path: Path) -> None:
    """Whichever of them the authority answers first."""
    async with Journal(tmp_path / "spool.db", "orders-1", Roles("one", "other")) as journal:
        owed = Owed(journal, 0)
        for first in (1, 2, 3):
            owed.expect(first)
        for first in (3, 1, 2):
            owed.answer(Intent(first, 1, 10, 0, None))
        assert [(await owed.next()).first for _ in range(3)] == [1, 2, 3]
