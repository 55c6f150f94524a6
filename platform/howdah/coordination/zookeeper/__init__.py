"""The Coordinator on ZooKeeper."""

from howdah.coordination.zookeeper.client import Credentials, Dial
from howdah.coordination.zookeeper.coordinator import ZooKeeperCoordinator

__all__ = ["Credentials", "Dial", "ZooKeeperCoordinator"]
