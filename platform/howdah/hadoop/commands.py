"""What runs in a container: argument vectors and environments."""

import re
from collections.abc import Mapping

from howdah.hadoop import layout, sizing
from howdah.model.cluster import Desired, Instance
from howdah.model.roles import Role
from howdah.units import Bytes

MAIN_CLASSES: Mapping[Role, str] = {
    Role.NAMENODE: "org.apache.hadoop.hdfs.server.namenode.NameNode",
    Role.SECONDARYNAMENODE: "org.apache.hadoop.hdfs.server.namenode.SecondaryNameNode",
    Role.DATANODE: "org.apache.hadoop.hdfs.server.datanode.DataNode",
    Role.RESOURCEMANAGER: "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager",
    Role.NODEMANAGER: "org.apache.hadoop.yarn.server.nodemanager.NodeManager",
}

WAIT = ("sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 86400 & wait; done")
"""A gateway's first process: does nothing, reaps what is left behind, ends at once when asked to."""

_COLLECTOR = re.compile(r"-XX:\+Use\w*GC$")


def command(desired: Desired, instance: Instance) -> tuple[str, ...]:
    """The container's argument vector, to be run by the image's entry point."""
    if instance.role is Role.GATEWAY:
        return WAIT
    size = sizing.heap(instance.role, instance.settings).value
    options = _java_options(desired, size, instance.settings.java_options)
    return ("java", f"@{layout.HADOOP_ARGUMENTS}", *options, MAIN_CLASSES[instance.role])


def format_command(desired: Desired, instance: Instance, cluster_id: str) -> tuple[str, ...]:
    """Format the name folder, run once in a container of its own with the NameNode's bundle and volume.

    Its exit code is 0 the first time and 1 from then on, so that it cannot tell "done" from "failed": read the volume.
    """
    size = sizing.heap(Role.NAMENODE, instance.settings).value
    options = _java_options(desired, Bytes(min(size, 256 * sizing.MIB)), ())
    arguments = ("-format", "-nonInteractive", "-clusterId", cluster_id)
    return ("java", f"@{layout.HADOOP_ARGUMENTS}", *options, MAIN_CLASSES[Role.NAMENODE], *arguments)


def environment(desired: Desired, instance: Instance) -> Mapping[str, str]:
    """The container's environment, beside what the image sets; the definition's own comes last.

    One malloc arena: glibc's default of eight a core keeps tens of MiB of freed memory in every idle daemon.
    """
    variables = {"MALLOC_ARENA_MAX": "1", "HOWDAH_CLUSTER": desired.cluster.name, "HOWDAH_INSTANCE": instance.name}
    if instance.role is Role.GATEWAY:
        heap = sizing.heap(Role.GATEWAY, instance.settings).value.mebibytes
        quick = " -XX:TieredStopAtLevel=1" if desired.definition.jvm == "quick" else ""
        variables["HADOOP_CLIENT_OPTS"] = f"-Xmx{heap}m -XX:+UseSerialGC{quick}"
    return variables | dict(instance.settings.environment)


def _java_options(desired: Desired, heap: Bytes, own: tuple[str, ...]) -> tuple[str, ...]:
    """The definition's own come last: of equal options the JVM takes the later one; of two collectors, none."""
    options = [f"-Xms{min(32, heap.mebibytes)}m", f"-Xmx{heap.mebibytes}m", "-Xss512k"]
    if not any(_COLLECTOR.match(option) for option in own):
        options += ["-XX:+UseSerialGC", "-XX:MinHeapFreeRatio=10", "-XX:MaxHeapFreeRatio=30"]
    if desired.definition.jvm == "quick":
        options.append("-XX:TieredStopAtLevel=1")
    options += [
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
        f"-Djdk.net.hosts.file={layout.HOSTS_FILE}",
        "-Dlog4j.configuration=log4j.properties",
    ]
    return (*options, *own)
