"""A cluster whose gateway is a folder: the real runner program runs here, with clients that are shell scripts."""

import json
import os
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from howdah.coordination.memory import MemoryCoordinator, MemoryService
from howdah.coordination.records import Records, not_found
from howdah.definitions.loading import reload
from howdah.engines.memory import MemoryEngine
from howdah.jobs.commands import JOBS_FOLDER
from howdah.jobs.submit import Jobs
from howdah.model.cluster import Cluster, ClusterPhase, Desired
from howdah.planning.network import choose_network
from howdah.planning.placement import assign, desire, new_data_set
from howdah.ports.engine import ExecResult, InstanceSpec, NetworkSpec
from howdah.units import Bytes

DEFINITION = """
howdah: 1
name: sales
distribution: {hadoop: "3.5.0", spark: "4.3.0"}
roles:
  namenode: {memory: 1 GiB, volume: {size: 10 GiB}}
  datanode: {count: 1, memory: 1 GiB, volume: {size: 10 GiB}}
  resourcemanager: {memory: 1 GiB}
  nodemanager: {count: 1, memory: 2 GiB}
  gateway: {memory: 2 GiB}
"""
LOG = 'echo "$0 $*" >> "$RUNS"'


class Killed(BaseException):
    """The submitting process is no more."""


@dataclass
class Clock:
    """Time that passes when it is slept."""

    seconds: float = 1_800_000_000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class World:
    """The cluster ``sales`` with a gateway in ``folder``. ``effect`` is called before and after each write and exec."""

    folder: Path
    phase: ClusterPhase = ClusterPhase.READY
    effect: Callable[[str, str], None] = lambda when, what: None
    applications: list[dict[str, Any]] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        for name in ("bin", "conf", "jobs"):
            (self.folder / name).mkdir()
        self.program("yarn")
        (self.folder / "conf" / "mapred-site.xml").write_text("<configuration>\n</configuration>\n")
        self.service = MemoryService(interrupt=self._record_effect)
        self.engine = MemoryEngine(images=["image"])
        self.engine.on_exec = self._exec
        self.engine.on_dial = lambda name, port: self._serve if (name, port) == ("sales-rm1", 8088) else None
        definition = reload(DEFINITION).definition
        cluster = Cluster(
            "sales",
            "0b1c0000-0000-4000-8000-000000000001",
            "sales",
            1,
            DEFINITION,
            "sales",
            self.phase,
            choose_network("sales", ()),
            "2027-01-15T08:00:00+00:00",
        )
        data_set = new_data_set(
            "sales", "0b1c0000-0000-4000-8000-000000000002", definition, DEFINITION, "local", cluster.uuid
        )
        self.desired = desire(cluster, definition, assign(definition, cluster.network, "local", data_set, {}), data_set)
        self.records = self.client()
        self.records.create_cluster(
            cluster, tuple(instance.assignment for instance in self.desired.instances), data_set, None
        )
        network = cluster.network
        self.engine.ensure_network(NetworkSpec("sales", network.subnet, network.gateway, network.dynamic_range, {}))
        for name in ("sales-gw1", "sales-rm1"):
            self.engine.ensure_instance(InstanceSpec(name, "image", (), name, "sales", {}, Bytes(2**30)))

    def client(self) -> Records:
        """Another process's."""
        return Records(MemoryCoordinator(self.service))

    def jobs(self) -> Jobs:
        """Those that a new process would have."""
        records = self.client()

        def desired(name: str) -> Desired:
            stored = records.cluster(name)
            if stored is None:
                raise not_found("cluster", name, ())
            return self.desired

        return Jobs({"local": self.engine}, records, desired, self.clock)

    def program(self, name: str, *lines: str) -> None:
        """A client in the gateway; each run of it is counted."""
        path = self.folder / "bin" / name
        path.write_text("\n".join(("#!/bin/sh", LOG, *lines, "")))
        path.chmod(0o755)

    def runs(self) -> list[str]:
        """The command line of every run."""
        path = self.folder / "runs"
        return path.read_text().splitlines() if path.exists() else []

    def file(self, name: str, text: str = "print('hello')\n") -> str:
        """A file of the user's."""
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def _record_effect(self, when: str, verb: str) -> None:
        if verb == "commit":
            self.effect(when, verb)

    def _exec(self, name: str, argv: tuple[str, ...], stdin: bytes) -> ExecResult:
        assert name == "sales-gw1"
        self.effect("before", "exec")
        here = [str(self.folder / "jobs") if word == JOBS_FOLDER else word for word in argv]
        variables = {
            **os.environ,
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "HADOOP_CONF_DIR": str(self.folder / "conf"),
            "RUNS": str(self.folder / "runs"),
        }
        done = subprocess.run(here, input=stdin, capture_output=True, env=variables, check=False)
        self.effect("after", "exec")
        return ExecResult(done.returncode, done.stdout, done.stderr)

    def _serve(self, stream: socket.socket) -> None:
        stream.recv(65536)
        body = json.dumps({"apps": {"app": self.applications}}).encode()
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
