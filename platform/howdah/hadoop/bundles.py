"""The bundle of one instance: every configuration file it reads, and a digest of all that a restart is needed for."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from howdah.hadoop import layout, properties, site, sizing
from howdah.hadoop.commands import command, environment
from howdah.hadoop.managed import MANAGED, files_of
from howdah.hadoop.properties import Facts
from howdah.model.cluster import Desired, Instance
from howdah.model.roles import Role


@dataclass(frozen=True, slots=True)
class Bundle:
    """File names to texts. ``digest`` covers the static part, command, environment and limits, not the live part."""

    digest: str
    static: Mapping[str, str]
    live: Mapping[str, str]


def bundle(desired: Desired, instance: Instance) -> Bundle:
    """Everything that one instance is configured with."""
    static = static_files(desired, instance)
    return Bundle(_digest(desired, instance, static), static, live_files(desired, instance))


def static_files(desired: Desired, instance: Instance) -> Mapping[str, str]:
    """The files at /etc/hadoop; each role has those that it reads."""
    about = properties.facts(desired)
    files: dict[str, str] = {
        "hadoop-metrics2.properties": "# No metrics sink; the file stops the warning that there is none.\n"
    }
    for name in files_of(instance.role):
        derived = _FILES[name](about, instance)
        if not derived:
            continue
        managed = {key: value for key, value in derived.items() if key in MANAGED}
        merged = dict(derived) | dict(properties.overrides(desired.definition, instance, name)) | managed
        files.update(_render(name, merged))
    return dict(sorted(files.items()))


def live_files(desired: Desired, instance: Instance) -> Mapping[str, str]:
    """The files at /etc/howdah/live: what changes when the cluster is scaled."""
    files = {"hosts": hosts(desired), "derived.xml": site.xml(derived(desired))}
    if instance.role is Role.NAMENODE:
        files["dfs.hosts.json"] = datanodes(desired)
    return dict(sorted(files.items()))


def derived(desired: Desired) -> Mapping[str, str]:
    """Properties that follow from how many instances there are; only new JVMs need to see them change."""
    return {"dfs.replication": str(sizing.replication(desired.definition.count(Role.DATANODE)).value)}


def hosts(desired: Desired) -> str:
    """For ``-Djdk.net.hosts.file``: the JVM knows these names alone, in both directions, and never waits for a DNS."""
    lines = ["127.0.0.1 localhost", "0.0.0.0 0.0.0.0"]
    lines += [f"{i.assignment.address} {i.host_name}" for i in desired.instances if i.assignment.address]
    return "\n".join(lines) + "\n"


def datanodes(desired: Desired) -> str:
    """For CombinedHostFileManager: the DataNodes that may register."""
    entries = [{"hostName": instance.host_name} for instance in desired.of(Role.DATANODE)]
    return json.dumps(entries, indent=1) + "\n"


def client_configuration(desired: Desired) -> Mapping[str, str]:
    """For clients outside the containers: addresses, replication and the definition's settings for all of it."""
    about = properties.facts(desired)
    own = desired.definition.configuration
    files = {
        "core-site": properties.core_site(about),
        "hdfs-site": dict(derived(desired)) | properties.hdfs_site(about, None),
        "yarn-site": properties.yarn_site(about, None),
        "mapred-site": properties.mapred_site(about),
    }
    # A client's folder for temporary files is its own business.
    files["core-site"].pop("hadoop.tmp.dir")
    return {f"{name}.xml": site.xml(settings | dict(own.get(name, {}))) for name, settings in files.items() if settings}


_FILES: Mapping[str, Callable[[Facts, Instance], Mapping[str, str]]] = {
    "core-site": lambda about, _: properties.core_site(about),
    "hdfs-site": properties.hdfs_site,
    "yarn-site": properties.yarn_site,
    "mapred-site": lambda about, _: properties.mapred_site(about),
    "capacity-scheduler": lambda about, _: properties.capacity_scheduler(about),
    "spark-defaults": lambda about, _: properties.spark_defaults(about),
    "log4j": lambda _, instance: properties.log4j(instance.role),
}


def _render(name: str, settings: Mapping[str, str]) -> Mapping[str, str]:
    match name:
        case "log4j":
            return {"log4j.properties": site.java_properties(settings)}
        case "spark-defaults":
            return {"spark-defaults.conf": site.java_properties(settings)}
        case "hdfs-site":
            return {"hdfs-site.xml": site.xml(settings, include=layout.DERIVED_FILE)}
        case _:
            return {f"{name}.xml": site.xml(settings)}


def _digest(desired: Desired, instance: Instance, static: Mapping[str, str]) -> str:
    settings = instance.settings
    content = {
        "files": dict(static),
        "command": command(desired, instance),
        "environment": dict(environment(desired, instance)),
        "memory": int(settings.memory),
        "cpus": settings.cpus,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
