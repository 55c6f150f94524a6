"""Readings from real daemons: NameNode JMX and WebHDFS, ResourceManager REST."""

import json
import uuid
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from howdah.clock import Clock
from howdah.errors import Transient
from howdah.model.cluster import container_of
from howdah.model.roles import ROLES, Role
from howdah.ports.engine import Engine
from howdah.ports.probe import NameNodeReading, NotYet, ResourceManagerReading
from howdah.probes.http import Reply, request

T = TypeVar("T")
NAMENODE_HTTP = ROLES[Role.NAMENODE].ports["http"]
RESOURCEMANAGER_HTTP = ROLES[Role.RESOURCEMANAGER].ports["http"]


class DaemonProbe:
    """The Probe port over an engine."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def namenode(self, container: str) -> NameNodeReading | NotYet:
        """What the NameNode says in JMX."""
        return _bounded(lambda: self._namenode(container))

    def resourcemanager(self, container: str) -> ResourceManagerReading | NotYet:
        """What the ResourceManager says over REST."""
        return _bounded(lambda: self._resourcemanager(container))

    def round_trip(self, namenode: str) -> NotYet | None:
        """Write a block through WebHDFS, read it back, remove it."""
        return _bounded(lambda: self._round_trip(namenode))

    def answers(self, container: str, port: int) -> NotYet | None:
        """None when something accepts connections there."""
        return _bounded(lambda: self._engine.dial(container, port).close())

    def _namenode(self, container: str) -> NameNodeReading | NotYet:
        reply = request(self._engine, container, NAMENODE_HTTP, "GET", "/jmx?qry=Hadoop:service=NameNode,name=*")
        beans = {bean["name"].rpartition("name=")[2]: bean for bean in reply.json().get("beans", [])}
        status, info, system = (beans.get(name, {}) for name in ("NameNodeStatus", "NameNodeInfo", "FSNamesystem"))
        if not (status and info and system):
            return NotYet("NameNode is loading")
        checkpoint = system.get("LastCheckpointTime", 0) / 1000
        return NameNodeReading(
            is_active=status.get("State") == "active",
            safe_mode=info.get("Safemode", ""),
            live=_host_names(info.get("LiveNodes")),
            dead=_host_names(info.get("DeadNodes")),
            missing_blocks=info.get("NumberOfMissingBlocks", 0),
            under_replicated=system.get("UnderReplicatedBlocks", 0),
            cluster_id=info.get("ClusterId", ""),
            block_pool_id=info.get("BlockPoolId", ""),
            capacity=info.get("Total", 0),
            used=info.get("Used", 0),
            files=info.get("TotalFiles", 0),
            checkpoint_age=round(self._clock.now().timestamp() - checkpoint) if checkpoint else None,
        )

    def _resourcemanager(self, container: str) -> ResourceManagerReading | NotYet:
        reply = request(self._engine, container, RESOURCEMANAGER_HTTP, "GET", "/ws/v1/cluster/nodes")
        if reply.status != 200:
            return NotYet(f"ResourceManager answers {reply.status}")
        nodes: list[dict[str, Any]] = (reply.json().get("nodes") or {}).get("node", [])
        metrics = request(self._engine, container, RESOURCEMANAGER_HTTP, "GET", "/ws/v1/cluster/metrics").json()
        return ResourceManagerReading(
            is_started=True,
            running=frozenset(node["nodeHostName"] for node in nodes if node["state"] == "RUNNING"),
            unhealthy=frozenset(node["nodeHostName"] for node in nodes if node["state"] == "UNHEALTHY"),
            applications=int((metrics.get("clusterMetrics") or {}).get("appsRunning", 0)),
        )

    def _round_trip(self, namenode: str) -> NotYet | None:
        path = f"/webhdfs/v1/tmp/.howdah-{uuid.uuid4()}?user.name=hadoop&op="
        payload = uuid.uuid4().bytes * 64
        written = self._follow(self._namenode_request(namenode, "PUT", f"{path}CREATE"), "PUT", payload)
        if isinstance(written, NotYet):
            return written
        read = self._follow(self._namenode_request(namenode, "GET", f"{path}OPEN"), "GET", None)
        self._namenode_request(namenode, "DELETE", f"{path}DELETE")
        if isinstance(read, NotYet):
            return read
        return None if read.body == payload else NotYet("a block came back other than it was written")

    def _namenode_request(self, namenode: str, method: str, path: str) -> Reply:
        return request(self._engine, namenode, NAMENODE_HTTP, method, path)

    def _follow(self, reply: Reply, method: str, body: bytes | None) -> Reply | NotYet:
        if reply.status != 307:
            return NotYet(_remote_cause(reply))
        target = urlsplit(reply.headers["location"])
        answer = request(
            self._engine,
            container_of(target.hostname or ""),
            target.port or 80,
            method,
            f"{target.path}?{target.query}",
            body,
        )
        return answer if answer.status in (200, 201) else NotYet(_remote_cause(answer))


def _remote_cause(reply: Reply) -> str:
    try:
        message: str = json.loads(reply.body)["RemoteException"]["message"]
    except (ValueError, KeyError, TypeError):
        return f"HTTP {reply.status}"
    return message.partition("\n")[0]


def _host_names(nodes: str | None) -> frozenset[str]:
    """The JMX attribute is JSON in a string, keyed by ``host:port``."""
    return frozenset(key.partition(":")[0] for key in json.loads(nodes or "{}"))


def _bounded(ask: Callable[[], T]) -> T | NotYet:
    try:
        return ask()
    except Transient as error:
        return NotYet(error.what)
