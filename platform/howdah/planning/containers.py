"""From an instance to the container that runs it."""

import json
from dataclasses import dataclass, replace

from howdah.hadoop import commands
from howdah.hadoop.bundles import Bundle
from howdah.model.cluster import Desired, Instance
from howdah.model.layout import CONFIGURATION_MOUNT, LIVE_MOUNT, SCRATCH_MOUNT, VOLUME_MOUNT, HostLayout
from howdah.model.roles import Role, Storage
from howdah.model.storage import VolumeIdentity, VolumeState
from howdah.planning.observed import LABEL_BUNDLE, LABEL_CLUSTER, LABEL_INCARNATION, LABEL_INSTANCE, LABEL_ROLE, ONE_OFF
from howdah.ports.engine import InstanceSpec, Mount

EXPECTATION = "HOWDAH_VOLUME"
"""The variable that tells the entry point which identity it must find (images/hadoop/entrypoint.py)."""


@dataclass(frozen=True, slots=True)
class Images:
    """The references of the images by kind: ``hadoop``, and ``spark`` where the definition asks for it."""

    hadoop: str
    spark: str = ""

    def of(self, role: Role) -> tuple[str, str]:
        """(kind, reference) for a role. Executors and drivers run in nodemanagers and gateways."""
        if self.spark and role in (Role.NODEMANAGER, Role.GATEWAY):
            return "spark", self.spark
        return "hadoop", self.hadoop


def identity_of(desired: Desired, instance: Instance, state: VolumeState) -> VolumeIdentity:
    """What the instance's volume must say of itself."""
    claim = desired.data_set.claim(instance.name)
    assert claim is not None, instance.name
    return VolumeIdentity(
        volume=claim.volume,
        data_set=desired.data_set.uuid,
        data_set_name=desired.data_set.name,
        instance=instance.name,
        role=instance.role,
        size=claim.size,
        incarnation=instance.assignment.incarnation,
        state=state,
        cluster_id=desired.data_set.cluster_id,
    )


def labels_of(instance: Instance, digest: str) -> dict[str, str]:
    """Only what never changes for the container."""
    return {
        LABEL_CLUSTER: instance.cluster,
        LABEL_ROLE: instance.role,
        LABEL_INSTANCE: instance.name,
        LABEL_INCARNATION: str(instance.assignment.incarnation),
        LABEL_BUNDLE: digest,
    }


def container(desired: Desired, instance: Instance, bundle: Bundle, images: Images, layout: HostLayout) -> InstanceSpec:
    """The container of an instance."""
    mounts = [
        Mount(layout.static(instance.cluster, instance.name, bundle.digest), CONFIGURATION_MOUNT, is_read_only=True),
        Mount(layout.live(instance.cluster, instance.name), LIVE_MOUNT, is_read_only=True),
    ]
    environment = dict(commands.environment(desired, instance))
    if instance.assignment.volume:
        folder = layout.volume(instance.assignment.volume)
        mounts.append(Mount(f"{folder}/identity", f"{VOLUME_MOUNT}/identity", is_read_only=True))
        mounts.append(Mount(f"{folder}/data", f"{VOLUME_MOUNT}/data"))
        environment[EXPECTATION] = _expectation(desired, instance)
    if instance.traits.storage is Storage.SCRATCH:
        mounts.append(Mount(layout.scratch(instance.cluster, instance.name), SCRATCH_MOUNT))
    _, image = images.of(instance.role)
    return InstanceSpec(
        name=instance.container,
        image=image,
        command=commands.command(desired, instance),
        hostname=instance.host_name,
        network=desired.cluster.network.name,
        labels=labels_of(instance, bundle.digest),
        memory=instance.memory,
        address=instance.assignment.address,
        aliases=(instance.host_name,),
        environment=environment,
        mounts=tuple(mounts),
        cpus=instance.settings.cpus,
        stop_timeout=instance.traits.stops_after,
    )


def format_container(
    desired: Desired, namenode: Instance, bundle: Bundle, images: Images, layout: HostLayout
) -> InstanceSpec:
    """The container that formats the NameNode's volume, once, with the clusterID that the data set chose."""
    spec = container(desired, namenode, bundle, images, layout)
    return replace(
        spec,
        name=f"{spec.name}-format",
        command=commands.format_command(desired, namenode, desired.data_set.cluster_id),
        labels={**spec.labels, LABEL_ROLE: ONE_OFF},
    )


def _expectation(desired: Desired, instance: Instance) -> str:
    identity = identity_of(desired, instance, VolumeState.USED)
    expected = {"volume": identity.volume, "data_set": identity.data_set, "instance": identity.instance}
    return json.dumps({**expected, "incarnation": identity.incarnation}, sort_keys=True)


def documents(desired: Desired) -> dict[str, str]:
    """What is kept beside an identity, so that records can be rebuilt from the volumes alone (``howdah adopt``)."""
    cluster = desired.cluster
    record = {"name": cluster.name, "uuid": cluster.uuid, "label": cluster.label, "subnet": cluster.network.subnet}
    return {"definition.yaml": cluster.definition, "cluster.json": json.dumps(record, sort_keys=True)}
