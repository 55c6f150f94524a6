"""Where things are below a host's volume root, and inside a container. Strings only; nobody else spells these paths."""

from dataclasses import dataclass

DEFAULT_ROOT = "/var/lib/howdah"

VOLUME_MOUNT = "/volume"
SCRATCH_MOUNT = "/scratch"
CONFIGURATION_MOUNT = "/etc/hadoop"
LIVE_MOUNT = "/etc/howdah/live"


@dataclass(frozen=True, slots=True)
class HostLayout:
    """The folders of one host, all below ``root``."""

    root: str = DEFAULT_ROOT

    def volume(self, uuid: str) -> str:
        """A volume: ``identity/`` and ``data/``."""
        return f"{self.root}/volumes/{uuid}"

    def tombstone(self, uuid: str) -> str:
        """A volume that is buried."""
        return f"{self.root}/volumes/.tombstone-{uuid}"

    def scratch(self, cluster: str, instance: str) -> str:
        """An instance's folder that goes with the cluster."""
        return f"{self.root}/scratch/{cluster}/{instance}"

    def static(self, cluster: str, instance: str, digest: str) -> str:
        """The part of a bundle whose change means a restart."""
        return f"{self.root}/bundles/{cluster}/{instance}/static-{digest}"

    def live(self, cluster: str, instance: str) -> str:
        """The part of a bundle that is replaced in place."""
        return f"{self.root}/bundles/{cluster}/{instance}/live"
