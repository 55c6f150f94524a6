"""Reasons to refuse: whatever could start a daemon on the wrong data, or make new data where old data should be."""

from howdah.errors import HowdahError, Refused, Transient
from howdah.model.cluster import Desired, container_name
from howdah.model.roles import Role, Storage
from howdah.model.storage import DataSet, DataSetState, FoundVolume, VolumeClaim, VolumeState
from howdah.planning.observed import Observed, Unknown
from howdah.ports.engine import Phase

CONTAINER_UID = 10001
_WAY_OUT = "bring the volume back to where it was, or delete the data set by name with `howdah delete --data destroy`"


def start_objections(desired: Desired, observed: Observed) -> tuple[HowdahError, ...]:
    """Why this cluster must not be started as things are; none when it may be."""
    if unknown := _unknown_hosts(observed):
        return unknown
    unclaimed = tuple(
        Refused(f"data set {desired.data_set.name} has no volume for {instance.name}", fix=_WAY_OUT)
        for instance in desired.instances
        if instance.traits.storage is Storage.VOLUME and desired.data_set.claim(instance.name) is None
    )
    found = (_volume_objection(desired, claim, observed) for claim in desired.data_set.claims)
    return unclaimed + tuple(objection for objection in found if objection)


def end_objections(desired: Desired, observed: Observed, *, is_data_named: bool) -> tuple[HowdahError, ...]:
    """Why this cluster must not be stopped or taken away as things are.

    Where the data goes too, a volume that says it is another's is not touched. One that says nothing is: a person
    named the data set.
    """
    if unknown := _unknown_hosts(observed):
        return unknown
    if not is_data_named:
        return ()
    claims = desired.data_set.claims
    found = [(claim, observed.volume(claim.host, claim.volume)) for claim in claims]
    return tuple(
        Refused(
            f"volume {claim.volume} at {volume.path} belongs to data set "
            f"{volume.identity.data_set_name} ({volume.identity.data_set})",
            fix="move it out of the volume root; nothing was deleted",
        )
        for claim, volume in found
        if volume and volume.identity and volume.identity.data_set != desired.data_set.uuid
    )


def _unknown_hosts(observed: Observed) -> tuple[HowdahError, ...]:
    return tuple(
        Transient(f"host {name} does not answer: {state.cause}", fix="nothing was decided; try again when it does")
        for name, state in observed.hosts.items()
        if isinstance(state, Unknown)
    )


def _volume_objection(desired: Desired, claim: VolumeClaim, observed: Observed) -> Refused | None:
    data_set = desired.data_set
    where = f"volume {claim.volume} of {claim.instance} (data set {data_set.name})"
    volume = observed.volume(claim.host, claim.volume)
    if volume is None:
        if data_set.state is DataSetState.READY:
            return Refused(
                f"{where} is missing on host {claim.host}; it is never created or formatted in its place", fix=_WAY_OUT
            )
        return None
    container = observed.instance(claim.host, container_name(desired.cluster.label, claim.instance))
    is_running = container is not None and container.phase is Phase.RUNNING
    return _content_objection(data_set, claim, volume, f"{where} at {volume.path}", is_running=is_running)


def _content_objection(
    data_set: DataSet, claim: VolumeClaim, volume: FoundVolume, where: str, *, is_running: bool
) -> Refused | None:
    identity = volume.identity
    if identity is None:
        return Refused(
            f"{where} has no readable identity", fix="restore identity/volume.json from a copy; nothing was changed"
        )
    if identity.data_set != data_set.uuid:
        return Refused(
            f"{where} belongs to {identity.instance} of data set {identity.data_set_name} ({identity.data_set})",
            fix=_WAY_OUT,
        )
    if identity.volume != claim.volume or identity.instance != claim.instance:
        return Refused(
            f"{where} says that it is volume {identity.volume} of {identity.instance}: a copy, or moved by hand",
            fix=_WAY_OUT,
        )
    if volume.owner_uid != CONTAINER_UID:
        return Refused(
            f"{where} is owned by uid {volume.owner_uid}, not {CONTAINER_UID}", fix=f"chown it back to {CONTAINER_UID}"
        )
    # A format comes before the mark: of data that is READY the NameNode's volume has some, whatever its identity says.
    is_formatted = data_set.state is DataSetState.READY and claim.role is Role.NAMENODE
    had_data = identity.state is VolumeState.USED or is_formatted
    if volume.is_empty and had_data:
        return Refused(f"{where} had data and is empty now: it was wiped", fix=_WAY_OUT)
    version = volume.version
    # A secondary NameNode has none before its first checkpoint.
    if version is None and had_data and claim.role in (Role.NAMENODE, Role.DATANODE):
        return Refused(f"{where} had data and there is no VERSION of HDFS in it now: it was wiped", fix=_WAY_OUT)
    # Of a NameNode at work the newest image may just be arriving; only one that is to be started is looked at.
    if is_formatted and version and not volume.has_image and not is_running:
        return Refused(
            f"{where} has no whole image: the newest fsimage is missing, or is not what its MD5 says",
            fix="restore the name folder from the secondary NameNode's checkpoint or a copy; nothing is formatted",
        )
    if version and data_set.state is DataSetState.READY and version.cluster_id != data_set.cluster_id:
        return Refused(
            f"{where} carries clusterID {version.cluster_id}, the data set's is {data_set.cluster_id}", fix=_WAY_OUT
        )
    return None
