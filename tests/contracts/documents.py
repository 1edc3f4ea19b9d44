"""What every place for documents promises, as tests: a subclass says where they are kept."""

import asyncio
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from itertools import pairwise

import pytest

from checkpoints.documents import LONGEST, Document, DocumentChangedError, Documents, DocumentTooLongError
from tests.contracts.checkpoint_store import Storage, checkpoint

NAME = "cutover"
TEXT = '{"step": "barrier", "note": "späť “hier” \\u0000"}\n'
_TIMEOUT_S = 60

_SAVE_FOR_EVER = """
import asyncio
{imports}

async def main():
    async with {expression} as documents:
        version = None
        while True:
            version = (await documents.save("cutover", f"text {{version or 0}}", version)).version
            print(version, flush=True)

asyncio.run(main())
"""


class Place(ABC):
    """Where documents are kept; outlives those who keep them there. ``documents`` makes a new handle at each call."""

    @property
    @abstractmethod
    def storage(self) -> Storage:
        """The checkpoints beside which the documents are."""

    @abstractmethod
    def documents(self, mirror: str = "orders") -> Documents: ...

    @property
    @abstractmethod
    def recipe(self) -> tuple[str, str]:
        """What another process imports, and the expression that makes a handle there, for mirror orders."""


class DocumentsContract:
    """Subclasses are named ``Test…`` and give a fixture ``place``, an empty one."""

    @pytest.fixture
    def place(self) -> Place:
        raise NotImplementedError

    async def test_what_never_was_saved_is_not_there(self, place: Place) -> None:
        """Nothing is invented, and nothing made by looking."""
        async with place.documents() as documents:
            assert await documents.load(NAME) is None
            await documents.save("another", TEXT, None)
            assert await documents.load(NAME) is None

    async def test_what_was_saved_is_loaded_to_the_letter_by_anybody(self, place: Place) -> None:
        """A save tells what stands there now, and so does every load of it, on every machine."""
        async with place.documents() as documents:
            first = await documents.save(NAME, TEXT, None)
            assert (first.text, first.version) == (TEXT, 1)
            assert await documents.load(NAME) == first
            second = await documents.save(NAME, "", first.version)
            assert (second.text, second.version) == ("", 2)
            assert second.author != first.author
        async with place.documents() as another:
            assert await another.load(NAME) == second

    async def test_the_longest_text_is_kept_and_a_longer_one_refused(self, place: Place) -> None:
        """A text that one place takes every other takes, too; what is too long leaves all as it was."""
        longest = '"ä\n"' + "ä" * ((LONGEST - 5) // 2)
        async with place.documents() as documents:
            saved = await documents.save(NAME, longest, None)
            with pytest.raises(DocumentTooLongError, match=f"at most {LONGEST}") as error:
                await documents.save(NAME, longest + "aaa", saved.version)
            assert not error.value.retriable
            assert await documents.load(NAME) == saved

    @pytest.mark.parametrize("name", ["", "Cutover", "a/b", "a#b", "-a", "a" * 61, "a\n"])
    async def test_a_name_that_no_document_has_is_a_mistake_of_the_caller(self, place: Place, name: str) -> None:
        """Names fit into keys of every place."""
        async with place.documents() as documents:
            with pytest.raises(ValueError, match="a document called"):
                await documents.load(name)
            with pytest.raises(ValueError, match="a document called"):
                await documents.save(name, TEXT, None)

    async def test_a_save_upon_another_version_is_refused_and_writes_nothing(self, place: Place) -> None:
        """Who has not seen what stands there does not replace it, and learns who wrote it and what to do."""
        async with place.documents() as one, place.documents() as another:
            first = await one.save(NAME, "first", None)
            second = await another.save(NAME, "second", first.version)
            for expected in (None, 1, 3):
                with pytest.raises(DocumentChangedError) as error:
                    await one.save(NAME, "third", expected)
                assert not error.value.retriable
                assert f"version 2 was saved by {second.author}" in str(error.value)
                assert "nothing was written" in str(error.value)
            assert await one.load(NAME) == await another.load(NAME) == second

    async def test_what_is_not_there_has_no_version_to_build_upon(self, place: Place) -> None:
        """A document that is gone, with its place, does not come back as if nothing had happened."""
        async with place.documents() as documents:
            with pytest.raises(DocumentChangedError, match="there is none any more"):
                await documents.save(NAME, TEXT, 7)
            assert await documents.load(NAME) is None

    async def test_of_two_who_save_at_once_exactly_one_wins(self, place: Place) -> None:
        """Two machines that go on from the same state do not both go on."""
        async with place.documents() as one, place.documents() as another:
            version = None
            for _ in range(5):
                outcomes = await asyncio.gather(
                    outcome(one.save(NAME, "one", version)), outcome(another.save(NAME, "another", version))
                )
                winners = [each for each in outcomes if isinstance(each, Document)]
                assert [type(each) for each in outcomes if each not in winners] == [DocumentChangedError]
                assert await one.load(NAME) == winners[0]
                version = winners[0].version

    async def test_of_many_who_count_in_one_document_nobody_is_lost(self, place: Place) -> None:
        """Saves that succeed come one after the other, each upon the one before, whoever makes them."""
        saved = await asyncio.gather(*(count_to(place, 6) for _ in range(3)))
        by_version = {each.version: each.text for some in saved for each in some}
        assert by_version == {version: str(version) for version in range(1, 7)}

    async def test_documents_belong_to_a_mirror_and_have_a_name_each(self, place: Place) -> None:
        """No mirror sees another's, also where one's name begins with the other's."""
        async with place.documents("orders") as orders, place.documents("orders-2") as others:
            first = await orders.save(NAME, "orders", None)
            second = await others.save(NAME, "orders-2", None)
            third = await orders.save(f"{NAME}-2", "another name", None)
            assert (await orders.load(NAME), await others.load(NAME)) == (first, second)
            assert (await orders.load(f"{NAME}-2"), await others.load(f"{NAME}-2")) == (third, None)

    async def test_the_owner_of_the_checkpoints_works_on_undisturbed(self, place: Place) -> None:
        """Documents are saved while a worker owns the checkpoints; neither sees anything of the other."""
        first, second, _ = place.storage.partitions
        async with place.storage.store() as store, place.documents() as documents:
            await store.save({first: checkpoint("1")})
            saved = await documents.save(NAME, TEXT, None)
            await store.save({first: checkpoint("2"), second: checkpoint("1")})
            saved = await documents.save(NAME, TEXT, saved.version)
            expected = {first: checkpoint("2"), second: checkpoint("1")}
            assert await store.load() == expected
            assert await place.storage.reader().load() == expected
            assert await documents.load(NAME) == saved
        async with place.storage.store() as successor:
            assert await successor.take({successor.slot_of(first), successor.slot_of(second)}) == expected

    async def test_forgetting_the_checkpoints_leaves_documents(self, place: Place) -> None:
        """A mirror that starts anew is the same migration."""
        first, *_ = place.storage.partitions
        async with place.documents() as documents:
            saved = await documents.save(NAME, TEXT, None)
            async with place.storage.store() as store:
                await store.save({first: checkpoint("1")})
                await store.delete([first])
            assert await place.storage.reader().load() == {}
            assert await documents.load(NAME) == saved

    async def test_a_cancelled_save_takes_effect_or_not_and_never_over_a_later_one(self, place: Place) -> None:
        """Who gave up waiting loads again, and builds on what is there; what lands late does not undo that."""
        async with place.documents() as documents:
            cancelled = asyncio.create_task(documents.save(NAME, "cancelled", None))
            await asyncio.sleep(0)
            cancelled.cancel()
            await asyncio.gather(cancelled, return_exceptions=True)
            found = await documents.load(NAME)
            saved: Document | Exception = DocumentChangedError("", "")
            while isinstance(saved, Exception):
                saved = await outcome(documents.save(NAME, "later", version_of(found)))
                found = await documents.load(NAME)
            assert found == saved

    @pytest.mark.parametrize("saves", [1, 4])
    async def test_what_a_save_returned_for_survives_kill_9(self, place: Place, saves: int) -> None:
        """A process killed between or within saves leaves the last finished one or the next, and the way on free."""
        returned = await asyncio.to_thread(killed_while_saving, place.recipe, saves)
        async with place.documents() as documents:
            found = await documents.load(NAME)
            assert found is not None
            assert found.version in (returned, returned + 1)
            assert found.text == f"text {found.version - 1}"
            await documents.save(NAME, "went on", found.version)


def version_of(found: Document | None) -> int | None:
    return None if found is None else found.version


async def outcome(save: Awaitable[Document]) -> Document | DocumentChangedError:
    try:
        return await save
    except DocumentChangedError as error:
        return error


async def count_to(place: Place, last: int) -> list[Document]:
    """What one of several made of it that raise a number by one until it is ``last``."""
    made: list[Document] = []
    async with asyncio.timeout(_TIMEOUT_S), place.documents() as documents:
        while True:
            found = await documents.load(NAME)
            number = int(found.text) if found is not None else 0
            if number >= last:
                assert all(before.version < after.version for before, after in pairwise(made))
                return made
            saved = await outcome(documents.save(NAME, str(number + 1), version_of(found)))
            made += [saved] if isinstance(saved, Document) else []


def killed_while_saving(recipe: tuple[str, str], saves: int) -> int:
    """The last version whose save had returned, in a process which was killed after so many or a few more."""
    imports, expression = recipe
    source = _SAVE_FOR_EVER.format(imports=imports, expression=expression)
    process = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for _ in range(saves):
            assert process.stdout.readline()
    finally:
        process.kill()
        output, _ = process.communicate()
    finished = [line for line in output.splitlines(keepends=True) if line.endswith("\n")]
    return int(finished[-1]) if finished else saves
