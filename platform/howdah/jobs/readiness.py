"""Whether a cluster takes jobs of a kind, and if not, what it waits for. Pure."""

from collections.abc import Collection, Mapping

from howdah.errors import UserError
from howdah.model.cluster import ClusterPhase, Desired
from howdah.model.job import JobKind
from howdah.model.roles import Role

_FIXES: Mapping[ClusterPhase, str] = {
    ClusterPhase.LAUNCHING: "wait until the launch is through, or launch {0} again; howdah status {0}",
    ClusterPhase.STOPPING: "howdah start {0}",
    ClusterPhase.STOPPED: "howdah start {0}",
    ClusterPhase.DELETING: "launch another one",
}
_NEEDED = ((Role.GATEWAY, "jobs start there"), (Role.RESOURCEMANAGER, "jobs run on YARN"))


def check(desired: Desired, endpoints: Collection[str], kind: JobKind) -> None:
    """Raises UserError where the cluster is not READY or lacks a part; ``endpoints`` are its ready instances."""
    cluster = desired.cluster
    if cluster.phase is not ClusterPhase.READY:
        raise UserError(
            f"cluster {cluster.name} is {cluster.phase}{_waits_for(desired, endpoints)}",
            fix=_FIXES[cluster.phase].format(cluster.name),
        )
    for role, why in _NEEDED:
        if not desired.of(role):
            raise UserError(
                f"cluster {cluster.name} has no {role}: {why}", fix=f"launch one whose definition has roles: {role}"
            )
    if kind is JobKind.SPARK and not desired.definition.distribution.spark:
        raise UserError(f"cluster {cluster.name} has no Spark", fix="launch one with distribution: {spark: …}")


def _waits_for(desired: Desired, endpoints: Collection[str]) -> str:
    if desired.cluster.phase is not ClusterPhase.LAUNCHING:
        return ""
    missing = [instance.name for instance in desired.instances if instance.name not in endpoints]
    return f": it waits for {', '.join(missing)}" if missing else ""
