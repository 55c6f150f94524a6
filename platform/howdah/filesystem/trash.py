"""Removing as Hadoop's own client does it (TrashPolicyDefault.moveToTrash), so that the two share one trash."""

from howdah.clock import Clock
from howdah.errors import NotFound, Refused, UserError
from howdah.filesystem.remote_paths import parent
from howdah.filesystem.values import Entry, Removed
from howdah.filesystem.webhdfs import Rename, WebHdfs

CURRENT = "Current"
"""What is being thrown away now; the NameNode renames it to a date, and removes that after ``fs.trash.interval``."""


def check(hdfs: WebHdfs, entry: Entry, *, recursive: bool, skip_trash: bool) -> None:
    """Whether it may go, before anything does.

    Raises UserError for a folder without ``recursive`` and where the trash is off, Refused for the root, for what holds
    the trash, and for what is in the trash already: that would be for good.
    """
    path = entry.path
    if path == "/":
        raise Refused("/ is all of HDFS; it is not removed", fix="name what is to go, or delete the cluster")
    if entry.is_folder and not recursive:
        raise UserError(f"{path} is a folder", fix="-r removes it with what is in it")
    if skip_trash:
        return
    if not hdfs.defaults().trash_minutes:
        raise UserError(
            f"the trash of this cluster is off; {path} would be gone for good", fix="--skip-trash if that is meant"
        )
    root = hdfs.trash_root(path)
    if _is_within(path, root):
        raise Refused(
            f"{path} is in the trash already, and goes by itself", fix="--skip-trash removes it now, for good"
        )
    if _is_within(parent(root), path):
        raise Refused(f"{path} holds the trash, so it cannot be moved there", fix="--skip-trash removes it for good")


def remove(hdfs: WebHdfs, clock: Clock, entry: Entry, *, skip_trash: bool) -> Removed:
    """Remove what was checked, into the trash unless told otherwise. Raises NotFound where somebody else did."""
    path = entry.path
    if skip_trash:
        if not hdfs.delete(path, recursive=entry.is_folder):
            raise NotFound(f"there is no file or folder {path} in HDFS any more")
        return Removed(path, "")
    current = f"{hdfs.trash_root(path)}/{CURRENT}"
    try:
        return Removed(path, _move(hdfs, clock, path, current))
    except NotFound:
        # The NameNode may have renamed Current between the folder that was made in it and the move there.
        if hdfs.find(path) is None:
            raise
        return Removed(path, _move(hdfs, clock, path, current))


def _move(hdfs: WebHdfs, clock: Clock, path: str, current: str) -> str:
    place = _make_place(hdfs, clock, f"{current}{path}")
    hdfs.rename(path, place, Rename.TO_TRASH)
    return place


def _make_place(hdfs: WebHdfs, clock: Clock, wanted: str) -> str:
    """A free path in the trash, its folder made. Names that are taken get the time in milliseconds, as in Hadoop."""
    folder, name = parent(wanted), wanted.rpartition("/")[2]
    while True:
        try:
            hdfs.make_folder(folder, "700")
            break
        except UserError:
            # A file thrown away earlier is where the folder must be: that part of the path gets the time.
            taken = folder
            while (found := hdfs.find(taken)) is None and taken != "/":
                taken = parent(taken)
            if found is None or found.is_folder:
                raise
            folder = f"{taken}{_milliseconds(clock)}{folder[len(taken) :]}"
    place = original = f"{folder}/{name}"
    stamp = _milliseconds(clock)
    while hdfs.find(place) is not None:
        place, stamp = f"{original}{stamp}", stamp + 1
    return place


def _is_within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")


def _milliseconds(clock: Clock) -> int:
    return int(clock.now().timestamp() * 1000)
