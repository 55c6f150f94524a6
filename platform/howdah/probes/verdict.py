"""From readings to a verdict: is this instance of use to others, and if not, what is it waiting for?"""

from dataclasses import dataclass

from howdah.model.roles import Role
from howdah.ports.probe import NameNodeReading, NotYet, Probe


@dataclass(frozen=True, slots=True)
class Subject:
    """The instance that is asked about, and those that know of it. Container names, but for ``host_name``."""

    role: Role
    container: str
    host_name: str
    namenode: str
    resourcemanager: str


def waits_for(subject: Subject, probe: Probe) -> str | None:
    """None when the instance is ready; else what is missing, in a few words.

    A daemon is ready when those who need it can use it: a DataNode when the NameNode lists it, not when its port is
    open.
    """
    match subject.role:
        case Role.NAMENODE:
            reading = probe.namenode(subject.container)
            if isinstance(reading, NotYet):
                return reading.why
            return None if reading.is_active else "NameNode is not active yet"
        case Role.DATANODE:
            reading = probe.namenode(subject.namenode)
            if isinstance(reading, NotYet):
                return reading.why
            return None if subject.host_name in reading.live else "the NameNode does not list it as live"
        case Role.RESOURCEMANAGER:
            answer = probe.resourcemanager(subject.container)
            return answer.why if isinstance(answer, NotYet) else None
        case Role.NODEMANAGER:
            answer = probe.resourcemanager(subject.resourcemanager)
            if isinstance(answer, NotYet):
                return answer.why
            if subject.host_name in answer.unhealthy:
                return "the ResourceManager calls it unhealthy"
            return None if subject.host_name in answer.running else "the ResourceManager does not list it as running"
        case Role.SECONDARYNAMENODE:
            silent = probe.answers(subject.container, 9868)
            return silent.why if silent else None
        case Role.GATEWAY:
            return None


def health(reading: NameNodeReading, datanodes: int) -> str | None:
    """What is wrong with HDFS, in one sentence; None where nothing is."""
    if reading.missing_blocks:
        return f"{reading.missing_blocks} blocks have no replica left"
    if reading.safe_mode:
        return f"safe mode: {reading.safe_mode}"
    if len(reading.live) < datanodes:
        return f"{len(reading.live)} of {datanodes} DataNodes are live"
    if reading.under_replicated:
        return f"{reading.under_replicated} blocks have too few replicas"
    return None
