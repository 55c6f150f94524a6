"""Files of HDFS for people, in the form of ``hdfs dfs``, and for programs."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from howdah.cli import showing
from howdah.cli.output import Json, columns
from howdah.filesystem.values import Copied, Count, Entry, Progress, Removed
from howdah.units import Bytes, Duration


class Note(Protocol):
    """Where progress is told."""

    def __call__(self, line: str, *, keeps: bool = True) -> None:
        """A line; kept, or only until the next one."""
        ...


def entry(found: Entry) -> str:
    """One line, as ``hdfs dfs -ls`` has it. Times are UTC."""
    replication = "-" if found.is_folder else str(found.replication)
    moment = found.modified_at.strftime("%Y-%m-%d %H:%M")
    owner = f"{found.owner.ljust(8)} {found.group.ljust(10)}"
    return f"{_mode(found)} {replication.rjust(3)} {owner} {int(found.length):>12} {moment} {found.path}"


def details(found: Entry) -> Iterator[str]:
    """All of it, a line each."""
    yield found.path
    rows = (
        ("kind", "folder" if found.is_folder else "file"),
        ("length", f"{int(found.length)} ({found.length})"),
        ("owner", f"{found.owner}:{found.group}"),
        ("permission", f"{_mode(found)} ({found.permission})"),
        ("replication", str(found.replication)),
        ("block size", str(Bytes(found.block_size))),
        ("modified", found.modified_at.strftime("%Y-%m-%d %H:%M:%S UTC")),
        ("inode", str(found.file_id)),
    )
    skipped = ("length", "replication", "block size") if found.is_folder else ()
    yield from (f"  {name.ljust(11)}  {value}" for name, value in rows if name not in skipped)


def entry_json(found: Entry) -> Json:
    """The same for programs."""
    return {
        "path": found.path,
        "is_folder": found.is_folder,
        "length": int(found.length),
        "owner": found.owner,
        "group": found.group,
        "permission": found.permission,
        "replication": found.replication,
        "block_size": found.block_size,
        "modified_at": found.modified_at.isoformat(),
        "accessed_at": found.accessed_at.isoformat(),
        "children": found.children,
        "inode": found.file_id,
    }


def counts(found: Iterable[Count]) -> list[str]:
    """A table of sizes."""
    rows = [(str(int(each.length)), str(int(each.space)), str(each.files), each.path) for each in found]
    return columns(("BYTES", "WITH REPLICAS", "FILES", "PATH"), rows)


def count_json(found: Count) -> Json:
    """The same for programs."""
    return {
        "path": found.path,
        "length": int(found.length),
        "space": int(found.space),
        "files": found.files,
        "folders": found.folders,
    }


def copied(done: Copied) -> str:
    """One sentence."""
    compared = "compared" if done.verified == done.files else f"{done.verified} of them compared"
    return f"{done.source} is at {done.target}: {showing.count(done.files, 'file')}, {done.length}, {compared}"


def removed(done: Removed, minutes: int) -> str:
    """One sentence, with the way back."""
    if not done.trash:
        return f"{done.path} is removed for good"
    return f"{done.path} is in the trash for {Duration(60 * minutes)}: {done.trash}"


def copying(note: Note) -> Progress:
    """Progress of copies to the display."""

    def tell(path: str, done: int, total: int | None) -> None:
        of = f" of {Bytes(total)}" if total is not None else ""
        note(f"{path}: {Bytes(done)}{of}", keeps=False)

    return tell


def _mode(found: Entry) -> str:
    """``drwxr-xr-x``, with the sticky bit."""
    bits = int(found.permission, 8)
    letters = "".join(letter if bits >> 8 - place & 1 else "-" for place, letter in enumerate("rwxrwxrwx"))
    if bits >> 9 & 1:
        letters = letters[:-1] + ("t" if letters[-1] == "x" else "T")
    return f"{'d' if found.is_folder else '-'}{letters}"
