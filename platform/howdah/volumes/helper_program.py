"""Root's work below a host's volume root: one JSON request on standard input, one JSON answer on standard output.

It is sent as text, with ``reading``, to a Python of 3.11 or later in a container on that host, so both import only the
standard library. An answer is ``{"value": …}``, or ``{"refused": …, "fix": …}`` where going on could touch what is not
ours. Every operation can be killed at any point and be asked again.
"""

import errno
import fcntl
import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from howdah.volumes.reading import SCHEMA, has_image, hdfs_version, listing, read_identity

CONTAINER_USER = 10001
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TOMBSTONE = ".tombstone-"
NEW = ".new-"


Identity = Mapping[str, Any]
"""The fields of ``howdah.model.storage.VolumeIdentity``."""


class Refused(Exception):
    """Going on could touch what is not ours."""

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what)
        self.what, self.fix = what, fix


class Host:
    """The folders below one root. ``user`` is who runs in the containers."""

    def __init__(self, root: str, user: int = CONTAINER_USER) -> None:
        self.root, self.user = root, user
        self.volumes = os.path.join(root, "volumes")
        self.scratch = os.path.join(root, "scratch")
        self.bundles = os.path.join(root, "bundles")

    # Volumes

    def create(self, identity: Identity, documents: Mapping[str, str]) -> bool:
        """True when made, False when there already."""
        uuid, path = identity["volume"], self._volume(identity["volume"])
        with self._writing():
            if os.path.lexists(self._tombstone(uuid)):
                raise Refused(
                    "volume %s of %s is buried in %s" % (uuid, owner(identity), self._tombstone(uuid)),
                    "remove it to the end first, then make one with another uuid",
                )
            if os.path.lexists(path):
                found = read_identity(path)
                if found == with_schema(identity):
                    return False
                raise Refused(
                    "volume %s was to be made for %s, but %s is there and belongs to %s"
                    % (uuid, owner(identity), path, owner(found)),
                    "find out what made it; move it elsewhere if nothing needs it",
                )
            draft = os.path.join(self.volumes, "%s%s-%d" % (NEW, uuid, os.getpid()))
            os.mkdir(draft, 0o755)
            self._write_identity(draft, identity, documents)
            inner = os.path.join(draft, "data")
            os.mkdir(inner, 0o700)
            os.chown(inner, self.user, self.user)
            sync_folder(draft)
            os.rename(draft, path)
            sync_folder(self.volumes)
        return True

    def stamp(self, identity: Identity, documents: Mapping[str, str]) -> bool:
        """True when the identity or a document was not that already."""
        uuid, path = identity["volume"], self._volume(identity["volume"])
        with self._writing():
            if not os.path.isdir(path):
                raise Refused(
                    "volume %s of %s is not at %s" % (uuid, owner(identity), path),
                    "bring the folder back; nothing is made in its place",
                )
            found = read_identity(path)
            if found is None or any(found[key] != identity[key] for key in ("volume", "data_set", "instance")):
                raise Refused(
                    "volume %s at %s belongs to %s, not to %s" % (uuid, path, owner(found), owner(identity)),
                    "find out how it came there",
                )
            if found["incarnation"] > identity["incarnation"]:
                raise Refused(
                    "volume %s of %s at %s has incarnation %d, which %d is below"
                    % (uuid, owner(found), path, found["incarnation"], identity["incarnation"]),
                    "run the command again: another one has got further",
                )
            return self._write_identity(path, identity, documents)

    def used(self, volume: str) -> int:
        """Bytes on the disk of what is in its data folder; what is linked twice counts once."""
        path = self._volume(volume)
        if not os.path.isdir(path):
            raise Refused("volume %s is not at %s" % (volume, path), "bring the folder back")
        total, seen = 0, set[tuple[int, int]]()
        for folder, folders, names in os.walk(os.path.join(path, "data")):
            for name in folders + names:
                try:
                    found = os.lstat(os.path.join(folder, name))
                except FileNotFoundError:
                    continue  # it is in use while we look
                if (found.st_dev, found.st_ino) not in seen:
                    seen.add((found.st_dev, found.st_ino))
                    total += found.st_blocks * 512
        return total

    def documents(self, volume: str) -> dict[str, str]:
        """What is kept beside the identity."""
        folder = os.path.join(self._volume(volume), "identity")
        found = {}
        for name in listing(folder):
            if name != "volume.json" and FILE.fullmatch(name):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    found[name] = file.read(2**20)
        return found

    def bury(self, volume: str) -> bool:
        """Rename to a tombstone; False where there is no such volume."""
        path, tombstone = self._volume(volume), self._tombstone(volume)
        with self._writing():
            if not os.path.lexists(path):
                return False
            if os.path.lexists(tombstone):
                raise Refused(
                    "volume %s of %s is at %s and buried in %s as well"
                    % (volume, owner(read_identity(path)), path, tombstone),
                    "find out which of the two is right, and move the other elsewhere",
                )
            os.rename(path, tombstone)
            sync_folder(self.volumes)
        return True

    def remove(self, volume: str) -> bool:
        """Delete a tombstone, and nothing else."""
        tombstone = self._tombstone(volume)
        if not os.path.lexists(tombstone):
            return False
        delete(tombstone)
        return True

    # Scratch folders and bundles

    def create_scratch(self, cluster: str, instance: str) -> bool:
        """True when made, False when there already."""
        parent = os.path.join(self.scratch, checked(NAME, cluster))
        path = os.path.join(parent, checked(NAME, instance))
        with self._writing():
            if os.path.isdir(path):
                return False
            os.makedirs(parent, 0o755, exist_ok=True)
            draft = os.path.join(parent, "%s%s-%d" % (NEW, instance, os.getpid()))
            delete(draft)
            os.mkdir(draft, 0o700)
            os.chown(draft, self.user, self.user)
            os.rename(draft, path)
        return True

    def remove_scratch(self, cluster: str) -> bool:
        """Every scratch folder of the cluster; False where there is none."""
        return self._remove_all(self.scratch, cluster)

    def write_bundle(
        self, cluster: str, instance: str, digest: str, static: Mapping[str, str], live: Mapping[str, str]
    ) -> bool:
        """True when anything in it was not that already. A static part of that digest is left alone."""
        parent = os.path.join(self.bundles, checked(NAME, cluster), checked(NAME, instance))
        target = os.path.join(parent, "static-" + checked(NAME, digest))
        with self._writing():
            os.makedirs(parent, 0o755, exist_ok=True)
            for name in os.listdir(parent):
                if name.startswith(NEW):
                    delete(os.path.join(parent, name))
            changed = False
            if not os.path.isdir(target):
                self._whole_folder(parent, target, static)
                changed = True
            # A container has the live folder itself mounted, so the folder stays and the files in it are replaced.
            folder = os.path.join(parent, "live")
            if not os.path.isdir(folder):
                self._whole_folder(parent, folder, live)
                return True
            for name in set(files_below(folder)) - set(live):
                os.unlink(os.path.join(folder, name))
                changed = True
            for name, text in live.items():
                changed = write_whole(os.path.join(folder, *parts(name)), text) or changed
        return changed

    def remove_bundles(self, cluster: str) -> bool:
        """Every bundle of the cluster; False where there is none."""
        return self._remove_all(self.bundles, cluster)

    # Looking

    def survey(self) -> dict[str, Any]:
        """Everything there is, from the folders themselves. Changes nothing."""
        found = [self._found(name) for name in listing(self.volumes)]
        space = os.statvfs(self.root)
        return {
            "volumes": [one for one in found if one],
            "scratch": [
                [cluster, instance] for cluster in listing(self.scratch) for instance in listing(self.scratch, cluster)
            ],
            "bundles": [
                [cluster, instance, name.removeprefix("static-")]
                for cluster in listing(self.bundles)
                for instance in listing(self.bundles, cluster)
                for name in listing(self.bundles, cluster, instance)
                if name.startswith("static-")
            ],
            "free": space.f_bavail * space.f_frsize,
        }

    def _found(self, name: str) -> dict[str, Any] | None:
        uuid = name.removeprefix(TOMBSTONE)
        path = os.path.join(self.volumes, name)
        if not UUID.fullmatch(uuid) or not os.path.isdir(path):
            return None
        inner = os.path.join(path, "data")
        is_tombstone = name != uuid
        try:
            owner_uid = os.stat(inner).st_uid
        except FileNotFoundError:
            owner_uid = -1
        return {
            "volume": uuid,
            "path": path,
            "identity": read_identity(path),
            "is_empty": set(listing(inner)) <= {"lost+found"},
            "is_tombstone": is_tombstone,
            "version": None if is_tombstone else hdfs_version(inner),
            "has_image": not is_tombstone and has_image(os.path.join(inner, "name", "current")),
            "owner_uid": owner_uid,
        }

    # Below

    def _volume(self, uuid: str) -> str:
        return os.path.join(self.volumes, checked(UUID, uuid))

    def _tombstone(self, uuid: str) -> str:
        return os.path.join(self.volumes, TOMBSTONE + checked(UUID, uuid))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One writer on a host at a time, so that whatever is half made was left by one that died, and goes."""
        os.makedirs(self.volumes, 0o755, exist_ok=True)
        with open(os.path.join(self.root, ".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for name in listing(self.volumes):
                if name.startswith(NEW):
                    delete(os.path.join(self.volumes, name))
            yield

    def _write_identity(self, volume: str, identity: Identity, documents: Mapping[str, str]) -> bool:
        folder = os.path.join(volume, "identity")
        os.makedirs(folder, 0o755, exist_ok=True)
        # What is beside the identity is root's alone: the registry's credentials are, and a definition may
        # tell too much.
        changed = [
            write_whole(os.path.join(folder, checked(FILE, name)), text, 0o600) for name, text in documents.items()
        ]
        # The identity last: it says that what is beside it is right.
        text = json.dumps(with_schema(identity), indent=2, sort_keys=True) + "\n"
        return any([*changed, write_whole(os.path.join(folder, "volume.json"), text)])

    def _whole_folder(self, parent: str, target: str, files: Mapping[str, str]) -> None:
        draft = os.path.join(parent, "%s%d" % (NEW, os.getpid()))
        delete(draft)
        os.mkdir(draft, 0o755)
        for name, text in files.items():
            write_whole(os.path.join(draft, *parts(name)), text)
        sync_folder(draft)
        os.rename(draft, target)
        sync_folder(parent)

    def _remove_all(self, above: str, cluster: str) -> bool:
        path = os.path.join(above, checked(NAME, cluster))
        with self._writing():
            if not os.path.lexists(path):
                return False
            delete(path)
        return True


def with_schema(identity: Identity) -> dict[str, Any]:
    """As it is written: with the number of the format."""
    return {"schema": SCHEMA, **identity}


def owner(identity: Identity | None) -> str:
    """Whose it is, for a message."""
    if identity is None:
        return "nobody that can be told: its identity cannot be read"
    return "instance %s of data set %s (%s), incarnation %d" % tuple(
        identity[key] for key in ("instance", "data_set_name", "data_set", "incarnation")
    )


def files_below(folder: str) -> Iterator[str]:
    """The paths of all its files, relative to it."""
    for above, _, names in os.walk(folder):
        for name in names:
            yield os.path.relpath(os.path.join(above, name), folder)


def write_whole(path: str, text: str, mode: int = 0) -> bool:
    """By rename, so that a reader sees the old text or the new one. False where it is there already."""
    content = text.encode()
    mode = mode or (0o755 if text.startswith("#!") else 0o644)
    try:
        with open(path, "rb") as file:
            if file.read() == content and stat.S_IMODE(os.fstat(file.fileno()).st_mode) == mode:
                return False
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    # Always the same name, under the lock: what a killed writer has left is overwritten.
    draft = os.path.join(os.path.dirname(path), NEW + os.path.basename(path))
    with open(draft, "wb") as file:
        os.fchmod(file.fileno(), mode)  # before there is anything to read in it
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(draft, path)
    sync_folder(os.path.dirname(path))
    return True


def sync_folder(path: str) -> None:
    """Make the names in it last."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def delete(path: str) -> None:
    """A whole tree, or nothing where there is none. Files that go away meanwhile do not matter."""
    for _ in range(3):
        try:
            shutil.rmtree(path)
            return
        except FileNotFoundError:
            if not os.path.lexists(path):
                return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
    shutil.rmtree(path)


def checked(pattern: re.Pattern[str], name: str) -> str:
    """The name, if it is one: never a way out of the root."""
    if not pattern.fullmatch(name):
        raise ValueError("%r cannot be the name of a folder or file" % name)
    return name


def parts(name: str) -> list[str]:
    """The folders and the file of a relative path."""
    return [checked(FILE, part) for part in name.split("/")]


def several(host: Host, operations: list[tuple[str, Mapping[str, Any]]]) -> list[Any]:
    """One after the other; the first that is refused ends it."""
    return [OPERATIONS[name](host, **arguments) for name, arguments in operations]


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "several": several,
    "survey": Host.survey,
    "create": Host.create,
    "stamp": Host.stamp,
    "used": Host.used,
    "documents": Host.documents,
    "bury": Host.bury,
    "remove": Host.remove,
    "create_scratch": Host.create_scratch,
    "remove_scratch": Host.remove_scratch,
    "write_bundle": Host.write_bundle,
    "remove_bundles": Host.remove_bundles,
}


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """One operation below ``request["root"]``."""
    host = Host(request["root"], request.get("user", CONTAINER_USER))
    try:
        return {"value": OPERATIONS[request["operation"]](host, **request.get("arguments", {}))}
    except Refused as refused:
        return {"refused": refused.what, "fix": refused.fix}


def main() -> None:
    """Standard input to standard output."""
    os.umask(0o022)
    json.dump(answer(json.load(sys.stdin)), sys.stdout)


if __name__ == "__main__":
    main()
