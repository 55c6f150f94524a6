"""Paths of HDFS as a person writes them: relative to the home folder, with patterns."""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from posixpath import normpath

from howdah.definitions.nearest import suggestion
from howdah.errors import NotFound, UserError
from howdah.filesystem.values import Entry
from howdah.filesystem.webhdfs import WebHdfs

MANY_NAMES = 20
"""In a folder; more than can be listed in a message, and one of them may still be the nearest."""
_MAGIC = re.compile(r"[*?\[{]")


def home(user: str) -> str:
    """Where relative paths begin, Hadoop's dfs.user.home.dir.prefix."""
    return f"/user/{user}"


def absolute(path: str, user: str) -> str:
    """The path in full, without ``.``, ``..``, doubled and trailing slashes. ``hdfs:///x`` is ``/x``.

    Raises UserError for the address of some other file system.
    """
    if match := re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/]*)(.*)", path):
        scheme, authority, path = match.groups()
        if scheme != "hdfs" or authority:
            raise UserError(f"{scheme}://{authority} is not this cluster's HDFS", fix="write the path alone: /in/x")
        path = path or "/"
    if not path:
        raise UserError("the path is empty", fix=f"write a path of HDFS, or `.` for {home(user)}")
    if "\0" in path:
        raise UserError(f"{path!r} has a zero byte")
    full = normpath(f"{home(user)}/{path}" if not path.startswith("/") else path)
    return f"/{full.lstrip('/')}"


def parent(path: str) -> str:
    """The folder a path is in; the root's is the root."""
    return path.rpartition("/")[0] or "/"


def inside(folder: str, name: str) -> str:
    """The path of a name in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def expand(hdfs: WebHdfs, paths: Iterable[str]) -> tuple[Entry, ...]:
    """What the paths name. A path that is there is taken by its letters, however much it looks like a pattern.

    Raises NotFound for a path that names nothing and a pattern that matches nothing, with the nearest name.
    """
    found: dict[str, Entry] = {}
    for written in paths:
        path = absolute(written, hdfs.user)
        exact = hdfs.find(path)
        matches = (exact,) if exact else tuple(_matching(hdfs, path)) if _MAGIC.search(path) else ()
        if not matches:
            raise not_found(hdfs, path)
        found |= {entry.path: entry for entry in matches}
    return tuple(found.values())


def not_found(hdfs: WebHdfs, path: str) -> NotFound:
    """What there is instead: the nearest name in the deepest folder of the path that exists."""
    if _MAGIC.search(path):
        return NotFound(f"nothing in HDFS matches {path}", fix=f"howdah hdfs NAME ls {parent(path)}")
    name, folder = path.rpartition("/")[2], parent(path)
    while (above := hdfs.find(folder)) is None and folder != "/":
        name, folder = folder.rpartition("/")[2], parent(folder)
    what = f"there is no file or folder {path} in HDFS"
    if above is None or not above.is_folder:
        return NotFound(f"{what}: {folder} is a file" if above else what)
    names = [entry.name for entry in hdfs.entries(folder)]
    near = suggestion(name, names) if len(names) <= MANY_NAMES else f"howdah hdfs NAME ls {folder}"
    return NotFound(what, fix=f"in {folder} {near}" if near.startswith("there ") else near)


def _matching(hdfs: WebHdfs, path: str) -> Iterator[Entry]:
    """Folder by folder: what has no pattern is looked up, what has one is listed."""
    entries = [hdfs.status("/")]
    for part in path.strip("/").split("/"):
        folders = [entry.path for entry in entries if entry.is_folder]
        if _MAGIC.search(part):
            pattern = _pattern(part)
            entries = [one for folder in folders for one in hdfs.entries(folder) if pattern.fullmatch(one.name)]
        else:
            named = (hdfs.find(inside(folder, part)) for folder in folders)
            entries = [one for one in named if one is not None]
    yield from entries


@lru_cache
def _pattern(part: str) -> re.Pattern[str]:
    """Hadoop's patterns (GlobPattern): ``*``, ``?``, ``[a-c]``, ``[^a]``, ``{one,other}``, ``\\*``.

    Raises UserError where a bracket is not closed.
    """
    text, at, depth = "", 0, 0
    while at < len(part):
        letter = part[at]
        at += 1
        if letter == "\\" and at < len(part):
            text += re.escape(part[at])
            at += 1
        elif letter == "[":
            end = part.find("]", at + 2 if part[at : at + 1] in ("^", "!") else at + 1)
            if end < 0:
                raise UserError(f"the pattern {part} has a `[` without its `]`", fix="close it, or write \\[")
            within = part[at:end].replace("\\", "\\\\").replace("[", "\\[")
            text += f"[^{within[1:]}]" if within[0] in "^!" else f"[{within}]"
            at = end + 1
        elif letter == "{":
            text, depth = f"{text}(?:", depth + 1
        elif letter == "}" and depth:
            text, depth = f"{text})", depth - 1
        elif letter == "," and depth:
            text += "|"
        else:
            text += {"*": "[^/]*", "?": "[^/]"}.get(letter) or re.escape(letter)
    if depth:
        raise UserError(f"the pattern {part} has a `{{` without its `}}`", fix="close it, or write \\{")
    try:
        return re.compile(text, re.DOTALL)
    except re.error as error:
        raise UserError(f"the pattern {part} cannot be read: {error}") from None
