"""Files that a mirror writes beside its ends."""

import asyncio
import os
from pathlib import Path

from bridge.doctor.check import Check, Findings
from bridge.doctor.scene import Scene


class DeadLetterFile(Check):
    name = "permissions"

    async def run(self, scene: Scene) -> Findings:
        section = scene.configuration.dead_letter
        if section is None or section.file is None or scene.configuration.on_error == "stop":
            return ()
        path = section.file.path
        if await asyncio.to_thread(can_write, path):
            return (self.ok(f"the dead letter {path} can be written"),)
        remedy = "give us the right to write there, or name another file with dead_letter.file.path"
        return (self.failed(f"the dead letter {path} cannot be written", "its folder is missing, or not ours", remedy),)


def can_write(path: Path) -> bool:
    """Whether the file may be written, or made where it is missing. Blocks."""
    return os.access(path if path.exists() else path.parent, os.W_OK)
