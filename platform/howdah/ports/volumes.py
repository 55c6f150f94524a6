"""The Volumes port: the persistent folders of one host, with the bundles and scratch folders beside them."""

from collections.abc import Mapping
from typing import Protocol

from howdah.model.layout import HostLayout
from howdah.model.storage import Folders, ScratchFolder, Survey, VolumeIdentity
from howdah.units import Bytes


class Volumes(Protocol):
    """The folders under one host's volume root.

    ``<root>/volumes/<uuid>/{identity,data}``, ``<root>/scratch/<cluster>/<instance>``,
    ``<root>/bundles/<cluster>/<instance>/{static-<digest>,live}``. Verbs are idempotent and return whether they
    changed anything;
    they raise Refused rather than touch what is not what they expect.
    """

    @property
    def layout(self) -> HostLayout:
        """Where things are on the host; containers mount them from there."""
        ...

    def survey(self) -> Survey:
        """Everything there is, read from the folders themselves."""
        ...

    def create(self, identity: VolumeIdentity, documents: Mapping[str, str]) -> bool:
        """Make the volume, owned by the containers' user, with its identity, and documents (definition.yaml) beside it.

        It appears whole, by rename. Raises Refused where a folder of that uuid has another identity.
        """
        ...

    def stamp(self, identity: VolumeIdentity, documents: Mapping[str, str]) -> bool:
        """Replace the identity of an existing volume.

        Raises Refused where it is missing, another's, or has a higher incarnation.
        """
        ...

    def prepare(self, folders: Folders) -> bool:
        """All of these, in one call.

        ``create``, ``stamp``, ``create_scratch``, ``write_bundle``. Stops at the first that is refused.
        """
        ...

    def used(self, volume: str) -> Bytes:
        """The bytes in its data folder."""
        ...

    def documents(self, volume: str) -> Mapping[str, str]:
        """What is kept beside the identity, by file name; nothing where there is no such volume."""
        ...

    def bury(self, volume: str) -> bool:
        """Rename it to a tombstone; nothing of that uuid can be mounted afterwards. False where there is none."""
        ...

    def remove(self, volume: str) -> bool:
        """Delete the tombstone of that uuid, and only a tombstone; False where there is none."""
        ...

    def create_scratch(self, folder: ScratchFolder) -> bool:
        """Make the scratch folder, owned by the containers' user."""
        ...

    def remove_scratch(self, cluster: str) -> bool:
        """Delete every scratch folder of a cluster."""
        ...

    def write_bundle(
        self, cluster: str, instance: str, digest: str, static: Mapping[str, str], live: Mapping[str, str]
    ) -> bool:
        """Write both parts of a bundle.

        Each appears whole. A static part of the same digest is left alone, live files are replaced.
        """
        ...

    def remove_bundles(self, cluster: str) -> bool:
        """Delete every bundle of a cluster."""
        ...

    def close(self) -> None:
        """Give back the helper."""
        ...
