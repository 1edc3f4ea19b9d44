"""Documents in memory."""

import pytest

from checkpoints.documents import Documents
from checkpoints.memory import MemoryDocuments
from tests.checkpoints.test_memory import MemoryStorage
from tests.contracts.checkpoint_store import Storage
from tests.contracts.documents import DocumentsContract, Place


class MemoryPlace(Place):
    def __init__(self) -> None:
        self._storage = MemoryStorage()
        self._documents: dict[str, MemoryDocuments] = {}

    @property
    def storage(self) -> Storage:
        return self._storage

    def documents(self, mirror: str = "orders") -> Documents:
        return self._documents.setdefault(mirror, MemoryDocuments())

    @property
    def recipe(self) -> tuple[str, str]:
        raise NotImplementedError


class TestMemoryDocuments(DocumentsContract):
    """But for what outlives its process."""

    @pytest.fixture
    def place(self) -> Place:
        return MemoryPlace()

    @pytest.mark.parametrize("saves", [0])
    async def test_what_a_save_returned_for_survives_kill_9(self, place: Place, saves: int) -> None:
        """Not here: memory ends with its process."""
