"""A temporary folder for a build. What a killed build left behind goes with the next one."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_JUST_MADE = 60.0
"""Seconds in which a folder may still be without its lock."""


@contextmanager
def workspace(parent: Path | None = None) -> Iterator[Path]:
    """A folder that is removed at the end, readable for everyone: in a user namespace the bootstrap is another user."""
    above = parent or Path(tempfile.gettempdir())
    prefix = f"howdah-build-{os.getuid()}-"
    sweep(above, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=above))
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Held as long as this process lives, however it ends.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def sweep(above: Path, prefix: str) -> None:
    """Remove the folders of builds that do not run any more."""
    for folder in above.glob(f"{prefix}*"):
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
            try:
                found = os.fstat(descriptor)
                if found.st_uid == os.getuid() and time.time() - found.st_mtime > _JUST_MADE:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
