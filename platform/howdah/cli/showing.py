"""Results for people, as lines, and for programs, as JSON with keys that stay."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from howdah.cli.output import Json, columns
from howdah.model.cluster import Cluster
from howdah.model.storage import DataSet
from howdah.units import Bytes, Duration

if TYPE_CHECKING:
    from howdah.client import VolumeUse
    from howdah.reconcile.status import ClusterStatus, HdfsStatus

# -- what there is


def inventory(clusters: Iterable[Cluster], data_sets: Iterable[DataSet]) -> Iterator[str]:
    """Clusters as a table, and the data sets that no cluster has."""
    rows = [
        (cluster.name, cluster.phase.lower(), cluster.data_set, moment(cluster.created_at), moment(cluster.expires_at))
        for cluster in clusters
    ]
    if rows:
        yield from columns(("NAME", "PHASE", "DATA SET", "CREATED", "EXPIRES"), rows)
    else:
        yield "no clusters; try: howdah launch small --name demo"
    kept = [data_set for data_set in data_sets if not data_set.lease]
    if kept:
        yield ""
        yield "data kept of clusters that are gone (howdah launch --from-data NAME brings it back):"
        sets = [(each.name, each.state.lower(), each.last_cluster, str(len(each.claims))) for each in kept]
        yield from columns(("DATA SET", "STATE", "LAST CLUSTER", "VOLUMES"), sets, indent="  ")


def inventory_json(clusters: Iterable[Cluster], data_sets: Iterable[DataSet]) -> Json:
    """The same for programs."""
    return {
        "clusters": [
            {
                "name": cluster.name,
                "uuid": cluster.uuid,
                "phase": cluster.phase.value,
                "generation": cluster.generation,
                "data_set": cluster.data_set,
                "created_at": cluster.created_at,
                "expires_at": cluster.expires_at or None,
            }
            for cluster in clusters
        ],
        "data_sets": [
            {
                "name": data_set.name,
                "uuid": data_set.uuid,
                "state": data_set.state.value,
                "is_in_use": bool(data_set.lease),
                "last_cluster": data_set.last_cluster,
                "hadoop": data_set.hadoop,
                "volumes": [
                    {"instance": claim.instance, "volume": claim.volume, "host": claim.host, "size": int(claim.size)}
                    for claim in data_set.claims
                ],
            }
            for data_set in data_sets
        ],
    }


def volumes(found: "Iterable[VolumeUse]") -> Iterator[str]:
    """Volumes with their bytes, and the sum."""
    found = list(found)
    rows = [(each.instance, "missing" if each.used is None else str(each.used), each.path) for each in found]
    yield from columns(("INSTANCE", "BYTES", "FOLDER"), rows, indent="  ")
    yield f"  {Bytes(sum(each.used or 0 for each in found))} in {len(found)} volumes"


# -- what one is like


def status(found: "ClusterStatus", now: datetime) -> Iterator[str]:
    """The sentence first, then the instances, then HDFS, YARN and the data."""
    yield f"{found.name}: {found.sentence}"
    yield ""
    rows = [
        (row.instance, row.role.value, row.host, row.address, str(row.memory), row.state, row.detail)
        for row in found.instances
    ]
    yield from columns(("INSTANCE", "ROLE", "HOST", "ADDRESS", "MEMORY", "STATE", ""), rows)
    yield ""
    if found.hdfs is not None:
        yield f"HDFS      {_hdfs(found.hdfs)}"
    if found.yarn is not None:
        yarn = found.yarn
        yield (
            f"YARN      {yarn.running} of {count(yarn.nodemanagers, 'NodeManager')} active, "
            f"{count(yarn.applications, 'application')} running"
        )
    yield f"data set  {found.data_set}{_durability(found.hdfs)}"
    pages = [row.page for row in found.instances if row.page and row.role in ("namenode", "resourcemanager")]
    if pages:
        yield f"pages     {'  '.join(pages)}  while `howdah ui {found.name}` runs"
    yield f"created   {moment(found.created_at)}{_expiry(found.expires_at, now)}"


def status_json(found: "ClusterStatus") -> Json:
    """The same for programs."""
    hdfs, yarn = found.hdfs, found.yarn
    return {
        "name": found.name,
        "phase": found.phase.value,
        "is_healthy": found.is_healthy,
        "sentence": found.sentence,
        "data_set": found.data_set,
        "created_at": found.created_at,
        "expires_at": found.expires_at or None,
        "instances": [
            {
                "instance": row.instance,
                "role": row.role.value,
                "host": row.host,
                "address": row.address,
                "memory": int(row.memory),
                "state": row.state,
                "detail": row.detail,
                "page": row.page or None,
            }
            for row in found.instances
        ],
        "hdfs": None
        if hdfs is None
        else {
            "live_datanodes": hdfs.live,
            "datanodes": hdfs.datanodes,
            "capacity": int(hdfs.capacity),
            "used": int(hdfs.used),
            "files": hdfs.files,
            "missing_blocks": hdfs.missing_blocks,
            "under_replicated_blocks": hdfs.under_replicated,
            "safe_mode": hdfs.safe_mode or None,
            "replication": hdfs.replication,
            "machines": hdfs.machines,
            "checkpoint_age": hdfs.checkpoint_age,
        },
        "yarn": None
        if yarn is None
        else {
            "active_nodemanagers": yarn.running,
            "nodemanagers": yarn.nodemanagers,
            "applications": yarn.applications,
        },
    }


def _hdfs(hdfs: "HdfsStatus") -> str:
    parts = [
        f"{hdfs.live} of {count(hdfs.datanodes, 'DataNode')} live",
        f"{hdfs.used} of {hdfs.capacity} used",
        count(hdfs.files, "file"),
    ]
    if hdfs.missing_blocks:
        parts.append(f"{count(hdfs.missing_blocks, 'block')} missing")
    if hdfs.under_replicated:
        parts.append(f"{count(hdfs.under_replicated, 'block')} under-replicated")
    if hdfs.safe_mode:
        parts.append("in safe mode")
    return ", ".join(parts)


def _durability(hdfs: "HdfsStatus | None") -> str:
    """How safe the data is: two replicas on one machine are lost together."""
    if hdfs is None:
        return ""
    parts = [f"{count(hdfs.replication, 'replica')}, {count(hdfs.machines, 'machine')}"]
    if hdfs.checkpoint_age is not None:
        parts.append(f"last checkpoint {Duration(hdfs.checkpoint_age)} ago")
    return f": {'; '.join(parts)}"


def _expiry(expires_at: str, now: datetime) -> str:
    if not expires_at:
        return ""
    left = int((datetime.fromisoformat(expires_at) - now).total_seconds())
    return f", expires in {Duration(left)}" if left > 0 else f", expired {Duration(-left)} ago"


# -- words


def count(number: int, word: str) -> str:
    """``1 block``, ``2 blocks``."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def moment(text: str) -> str:
    """A time of the records, to the second: ``2026-01-31 12:30:05 UTC``."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S UTC") if text else ""


def files(found: Mapping[str, str]) -> Iterator[str]:
    """Files one after the other, each under its name, as ``head`` shows them."""
    for name, text in found.items():
        yield f"==> {name} <=="
        yield text.rstrip("\n")
