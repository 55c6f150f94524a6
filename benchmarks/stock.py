"""The same containers as other people start them: the JVM's own settings, and Hadoop's and Spark's own intervals."""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from howdah.app import Installation
from howdah.engines.docker import DockerEngine
from howdah.hadoop import layout
from howdah.ports.engine import ExecResult, InstanceSpec

JAVA = "/usr/lib/jvm/java"
ARCHIVE = f"{JAVA}/lib/server/classes.jsa"
"""Java's own classes alone: what a JVM takes when it is told nothing."""
_KEPT = re.compile(r"@|-Xmx|-D|-XX:\+ExitOnOutOfMemoryError")

FLAGS: Mapping[str, Mapping[str, str]] = {
    "mapred-site": {
        "mapreduce.map.java.opts": "-Dstock=true",
        "mapreduce.reduce.java.opts": "-Dstock=true",
        "yarn.app.mapreduce.am.command-opts": "-Xmx384m",
    },
    "spark-defaults": {
        "spark.driver.extraJavaOptions": "-Dstock=true",
        "spark.executor.extraJavaOptions": "-Dstock=true",
        "spark.yarn.am.extraJavaOptions": "-Dstock=true",
    },
}
"""Job JVMs without our flags. Heaps stay: they follow from the containers."""

INTERVALS: Mapping[str, Mapping[str, str]] = {
    "yarn-site": {
        "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": "1000",
        "yarn.client.application-client-protocol.poll-interval-ms": "200",
        "yarn.nodemanager.container-monitor.interval-ms": "3000",
    },
    "mapred-site": {
        "mapreduce.job.ubertask.enable": "false",
        "yarn.app.mapreduce.am.scheduler.heartbeat.interval-ms": "1000",
        "mapreduce.client.progressmonitor.pollinterval": "1000",
        "mapreduce.client.completion.pollinterval": "5000",
    },
    "spark-defaults": {
        "spark.yarn.report.interval": "1s",
        "spark.yarn.scheduler.initial-allocation.interval": "200ms",
        "spark.yarn.scheduler.heartbeat.interval-ms": "3000",
        "spark.yarn.containerLauncherMaxThreads": "25",
    },
    "capacity-scheduler": {"yarn.scheduler.capacity.node-locality-delay": "40"},
}
"""Hadoop's and Spark's defaults where ours differ. Spark's jars stay on the nodes: nobody uploads them twice."""


def command(argv: tuple[str, ...]) -> tuple[str, ...]:
    """A daemon's command line with nothing of ours but class path, heap and configuration."""
    if argv[:1] != ("java",):
        return argv
    rest = list(argv[1:])
    options: list[str] = []
    while rest and rest[0].startswith(("@", "-")):
        option = rest.pop(0)
        if _KEPT.match(option):
            options.append(option)
    # The last of equal options counts, and the argument file has one.
    return ("java", *options, f"-XX:SharedArchiveFile={ARCHIVE}", *rest)


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """A container's environment, in which every JVM is the plain one."""
    changed = {**variables, "JAVA_HOME": JAVA}
    if "HADOOP_CLIENT_OPTS" in variables:
        heap = re.search(r"-Xmx\S+", variables["HADOOP_CLIENT_OPTS"])
        options = ["-XX:-UseSerialGC", "-XX:TieredStopAtLevel=4", f"-XX:SharedArchiveFile={ARCHIVE}"]
        changed["HADOOP_CLIENT_OPTS"] = " ".join([heap[0] if heap else "", *options]).strip()
    return changed


class StockEngine(DockerEngine):
    """Starts every daemon with the JVM's own settings."""

    def ensure_instance(self, spec: InstanceSpec) -> bool:
        """Without our flags."""
        return super().ensure_instance(_plain(spec))

    def run_once(self, spec: InstanceSpec, timeout: float) -> ExecResult:
        """Without our flags."""
        return super().run_once(_plain(spec), timeout)


def _plain(spec: InstanceSpec) -> InstanceSpec:
    if f"@{layout.HADOOP_ARGUMENTS}" not in spec.command and "HADOOP_CLIENT_OPTS" not in spec.environment:
        return spec
    return replace(spec, command=command(spec.command), environment=environment(spec.environment))


class StockInstallation(Installation):
    """An installation with that engine."""

    @cached_property
    def engine(self) -> DockerEngine:
        """Where the user points at."""
        return StockEngine(route=self.settings.route)
