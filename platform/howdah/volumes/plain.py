"""Volumes as plain folders, on a host whose engine is all that is needed to reach it."""

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib import resources
from typing import Any

from howdah.errors import Refused, Transient
from howdah.model.layout import HostLayout
from howdah.model.storage import (
    Folders,
    FoundVolume,
    HdfsVersionFile,
    ScratchFolder,
    Survey,
    VolumeIdentity,
    VolumeState,
)
from howdah.ports.engine import Engine, Helper
from howdah.units import Bytes


class PlainVolumes:
    """The folders below ``root`` on the host of an engine.

    ``container_user`` owns what the containers write. The engine's helper is opened at the first call and kept until
    ``close``. Safe to use from several threads.
    """

    def __init__(self, engine: Engine, root: str, *, container_user: int = 10001) -> None:
        self.layout = HostLayout(root.rstrip("/"))
        self._engine = engine
        self._user = container_user
        self._lock = threading.Lock()
        self._helper: Helper | None = None

    def survey(self) -> Survey:
        """Everything there is, in one call. Of an fsimage over 64 MiB only the presence of its sum is looked at."""
        found = self._ask("survey")
        return Survey(
            volumes=tuple(_volume(one) for one in found["volumes"]),
            bundles=frozenset((cluster, instance, digest) for cluster, instance, digest in found["bundles"]),
            scratch=frozenset((cluster, instance) for cluster, instance in found["scratch"]),
            free=Bytes(found["free"]),
        )

    def create(self, identity: VolumeIdentity, documents: Mapping[str, str]) -> bool:
        """Make the volume; it appears whole. Raises Refused where a folder of that uuid has another identity."""
        return bool(self._ask("create", identity=asdict(identity), documents=dict(documents)))

    def stamp(self, identity: VolumeIdentity, documents: Mapping[str, str]) -> bool:
        """Replace the identity. Raises Refused where it is missing, another's, or has a higher incarnation."""
        return bool(self._ask("stamp", identity=asdict(identity), documents=dict(documents)))

    def prepare(self, folders: Folders) -> bool:
        """All of these, in one call of the helper."""
        asked: list[tuple[str, dict[str, Any]]] = []
        documents = dict(folders.documents)
        asked += [("create", {"identity": asdict(each), "documents": documents}) for each in folders.made]
        asked += [("stamp", {"identity": asdict(each), "documents": documents}) for each in folders.stamped]
        asked += [("create_scratch", {"cluster": f.cluster, "instance": f.instance}) for f in folders.scratch]
        asked += [("write_bundle", asdict(each)) for each in folders.bundles]
        return any(self._ask("several", operations=asked))

    def used(self, volume: str) -> Bytes:
        """The bytes on the disk in its data folder. Raises Refused where it is missing."""
        return Bytes(self._ask("used", volume=volume))

    def documents(self, volume: str) -> Mapping[str, str]:
        """What is kept beside the identity, by file name; nothing where there is no such volume."""
        return {str(name): str(text) for name, text in self._ask("documents", volume=volume).items()}

    def bury(self, volume: str) -> bool:
        """Rename it to a tombstone. False where there is none."""
        return bool(self._ask("bury", volume=volume))

    def remove(self, volume: str) -> bool:
        """Delete the tombstone of that uuid, and only a tombstone; False where there is none."""
        return bool(self._ask("remove", volume=volume))

    def create_scratch(self, folder: ScratchFolder) -> bool:
        """Make the scratch folder, owned by the containers' user. A plain folder does not enforce its size."""
        return bool(self._ask("create_scratch", cluster=folder.cluster, instance=folder.instance))

    def remove_scratch(self, cluster: str) -> bool:
        """Delete every scratch folder of a cluster."""
        return bool(self._ask("remove_scratch", cluster=cluster))

    def write_bundle(
        self, cluster: str, instance: str, digest: str, static: Mapping[str, str], live: Mapping[str, str]
    ) -> bool:
        """Write both parts of a bundle; a text that begins with ``#!`` becomes an executable file."""
        return bool(
            self._ask(
                "write_bundle",
                cluster=cluster,
                instance=instance,
                digest=digest,
                static=dict(static),
                live=dict(live),
            )
        )

    def remove_bundles(self, cluster: str) -> bool:
        """Delete every bundle of a cluster."""
        return bool(self._ask("remove_bundles", cluster=cluster))

    def close(self) -> None:
        """Give back the helper."""
        with self._lock:
            helper, self._helper = self._helper, None
        if helper is not None:
            helper.close()

    def _ask(self, operation: str, **arguments: Any) -> Any:
        request = {"root": self.layout.root, "user": self._user, "operation": operation, "arguments": arguments}
        answer = json.loads(self._call(json.dumps(request).encode()))
        if "refused" in answer:
            raise Refused(answer["refused"], fix=answer["fix"])
        return answer["value"]

    def _call(self, request: bytes) -> bytes:
        program = helper_program()
        helper = self._opened()
        try:
            return helper.call(program, request)
        except Transient:
            # A helper lives for ten minutes. Every operation can be asked twice, so ask a new one.
            with self._lock:
                if self._helper is helper:
                    self._helper = None
            return self._opened().call(program, request)

    def _opened(self) -> Helper:
        with self._lock:
            if self._helper is None:
                self._helper = self._engine.open_helper(self.layout.root)
            return self._helper


@cache
def helper_program() -> str:
    """The program as one text: its other part is made a module first."""
    folder = resources.files("howdah.volumes")
    reading, program = (
        folder.joinpath(f"{name}.py").read_text(encoding="utf-8") for name in ("reading", "helper_program")
    )
    return (
        "import sys, types\n"
        "module = sys.modules['howdah.volumes.reading'] = types.ModuleType('howdah.volumes.reading')\n"
        f"exec({reading!r}, module.__dict__)\n"
        f"exec({program!r}, globals())\n"
    )


def _volume(found: Mapping[str, Any]) -> FoundVolume:
    version = found["version"]
    return FoundVolume(
        volume=found["volume"],
        path=found["path"],
        identity=_identity(found["identity"]),
        is_empty=found["is_empty"],
        is_tombstone=found["is_tombstone"],
        version=None if version is None else HdfsVersionFile(**version),
        has_image=found["has_image"],
        owner_uid=found["owner_uid"],
    )


def _identity(found: Mapping[str, Any] | None) -> VolumeIdentity | None:
    """None where a word in it is not one of ours, as for a file that cannot be read."""
    if found is None or found["state"] not in VolumeState.__members__:
        return None
    return VolumeIdentity(
        volume=str(found["volume"]),
        data_set=str(found["data_set"]),
        data_set_name=str(found["data_set_name"]),
        instance=str(found["instance"]),
        role=str(found["role"]),
        size=Bytes(found["size"]),
        incarnation=found["incarnation"],
        state=VolumeState(found["state"]),
        cluster_id=str(found["cluster_id"]),
    )
