"""Where things are below a volume root: the same for every kind of volumes."""


class Paths:
    """The layout of ``howdah.ports.volumes.Volumes``, as paths on the host."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/") or "/"

    @property
    def root(self) -> str:
        """The folder on the host."""
        return self._root

    def volume_path(self, volume: str) -> str:
        """Where it is on the host; containers mount its ``identity`` and ``data``."""
        return f"{self._root}/volumes/{volume}"

    def tombstone_path(self, volume: str) -> str:
        """Where it is once it is buried."""
        return f"{self._root}/volumes/.tombstone-{volume}"

    def scratch_path(self, cluster: str, instance: str) -> str:
        """Where it is on the host."""
        return f"{self._root}/scratch/{cluster}/{instance}"

    def bundle_path(self, cluster: str, instance: str, digest: str) -> str:
        """The static part on the host."""
        return f"{self._root}/bundles/{cluster}/{instance}/static-{digest}"

    def live_path(self, cluster: str, instance: str) -> str:
        """The live part on the host."""
        return f"{self._root}/bundles/{cluster}/{instance}/live"
