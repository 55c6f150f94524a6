"""The only znode strings. What each holds: docs/architecture.md, "State"."""

import re

from howdah.errors import Bug

ROOT = "/howdah"
CLUSTERS = f"{ROOT}/clusters"
INSTANCES = f"{ROOT}/instances"
DATA_SETS = f"{ROOT}/datasets"
HOSTS = f"{ROOT}/hosts"
JOBS = f"{ROOT}/jobs"
EVENTS = f"{ROOT}/events"
ENDPOINTS = f"{ROOT}/endpoints"
LOCKS = f"{ROOT}/locks"
LEADER = f"{ROOT}/leader"
CHOICES = f"{ROOT}/choices"

_SEGMENT = re.compile(r"[a-z0-9-]+")


def cluster(name: str) -> str:
    """The record of a cluster."""
    return _below(CLUSTERS, name)


def instances(cluster_uuid: str) -> str:
    """The folder of a cluster's instances; its own record names the cluster."""
    return _below(INSTANCES, cluster_uuid)


def instance(cluster_uuid: str, name: str) -> str:
    """The record of an instance."""
    return _below(instances(cluster_uuid), name)


def data_set(name: str) -> str:
    """The record of a data set."""
    return _below(DATA_SETS, name)


def host(name: str) -> str:
    """The record of a host."""
    return _below(HOSTS, name)


def job(job_id: str) -> str:
    """The record of a job."""
    return _below(JOBS, job_id)


def events(cluster_name: str) -> str:
    """The last events of a cluster, kept after it is gone."""
    return _below(EVENTS, cluster_name)


def endpoints(cluster_name: str) -> str:
    """The addresses of a cluster's ready instances."""
    return _below(ENDPOINTS, cluster_name)


def lock(name: str) -> str:
    """The folder of a lock; who holds it and who waits are below it."""
    return _below(LOCKS, name)


def _below(folder: str, name: str) -> str:
    """Names are validated at the edge; an unfit one (a slash, say) would land elsewhere in the tree."""
    if not _SEGMENT.fullmatch(name):
        raise Bug(f"{name!r} cannot be a name below {folder}: only lower-case letters, digits and hyphens can")
    return f"{folder}/{name}"
