"""The paths of the Volumes port, the same for every kind of volumes."""

from howdah.model.layout import HostLayout


class Paths:
    """Where things are below a volume root, on the host."""

    def __init__(self, root: str) -> None:
        self._layout = HostLayout(root.rstrip("/"))

    @property
    def root(self) -> str:
        """The folder on the host."""
        return self._layout.root

    def volume_path(self, volume: str) -> str:
        """Where it is on the host; containers mount its ``identity`` and ``data``."""
        return self._layout.volume(volume)

    def tombstone_path(self, volume: str) -> str:
        """Where it is once it is buried."""
        return self._layout.volume(f".tombstone-{volume}")

    def scratch_path(self, cluster: str, instance: str) -> str:
        """Where it is on the host."""
        return self._layout.scratch(cluster, instance)

    def bundle_path(self, cluster: str, instance: str, digest: str) -> str:
        """The static part on the host."""
        return self._layout.static(cluster, instance, digest)

    def live_path(self, cluster: str, instance: str) -> str:
        """The live part on the host."""
        return self._layout.live(cluster, instance)
