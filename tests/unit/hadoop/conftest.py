from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

from howdah.definitions.exporting import loads
from howdah.model.cluster import Assignment, Cluster, ClusterPhase, Desired, Instance, Network
from howdah.model.roles import ROLES
from howdah.model.storage import DataSet, DataSetState

# A busy machine is no reason to fail.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

SMALL = """
name: sales
distribution: {hadoop: "3.5.0", spark: "4.3.0"}
roles:
  namenode: {memory: 1 GiB}
  secondarynamenode:
  datanode: {count: 2, memory: 768 MiB}
  resourcemanager:
  nodemanager: {count: 2, memory: 2 GiB}
  gateway: {memory: 2 GiB}
"""


def desired_of(text: str) -> Desired:
    """The desired state of a definition, with addresses from 10.1.0.11 on in the order of roles."""
    definition = loads(text)
    name = definition.name
    network = Network(name, "10.1.0.0/16", "10.1.0.1", "10.1.128.0/17")
    cluster = Cluster(name, "u1", name, 1, text, name, ClusterPhase.READY, network, "2026-01-01T00:00:00Z")
    instances: list[Instance] = []
    for role, body in definition.roles.items():
        number = 0
        for group, chosen in body.groups.items():
            for _ in range(chosen.count):
                number += 1
                address = f"10.1.{len(instances) // 200}.{11 + len(instances) % 200}"
                place = Assignment(f"{ROLES[role].prefix}{number}", role, group, "h1", address, 1)
                instances.append(Instance(place, chosen, cluster.uuid, cluster.label))
    data_set = DataSet("d1", name, DataSetState.READY, "CID-1", 1, (), cluster.uuid, text)
    return Desired(cluster, definition, tuple(instances), data_set)


@pytest.fixture
def desired() -> Callable[[str], Desired]:
    return desired_of


@pytest.fixture
def small() -> Desired:
    return desired_of(SMALL)
