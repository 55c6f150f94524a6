"""What must hold between the fields of a definition."""

from collections.abc import Mapping

from howdah.definitions.fields import COUNT_LIMIT, Report, printable, shown
from howdah.definitions.tree import Place
from howdah.hadoop import sizing
from howdah.hadoop.sizing import ROLE_SIZES
from howdah.model.definition import Definition, Group
from howdah.model.roles import ROLES, Role
from howdah.units import Bytes

_NEEDS = {
    Role.SECONDARYNAMENODE: Role.NAMENODE,
    Role.DATANODE: Role.NAMENODE,
    # Jobs are staged in HDFS and read from there.
    Role.RESOURCEMANAGER: Role.NAMENODE,
    Role.NODEMANAGER: Role.RESOURCEMANAGER,
    Role.GATEWAY: Role.NAMENODE,
}
REPLICATION_MOST = 512
"""Hadoop's own limit, dfs.replication.max."""


class Places:
    """Finds where a field was written; for a value nobody wrote, where its surroundings were."""

    def __init__(self, provenance: Mapping[str, Place]) -> None:
        self._provenance = provenance

    def of(self, path: str) -> Place:
        """The place of a path, or of the nearest one above it."""
        while path and path not in self._provenance:
            path = path.rpartition(".")[0]
        return self._provenance[path]


def check(definition: Definition, places: Places, report: Report) -> None:
    """Report everything that does not go together."""
    _check_roles(definition, places, report)
    _check_replication(definition, places, report)
    for role, body in definition.roles.items():
        for name, group in body.groups.items():
            path = f"roles.{role}.groups.{name}"
            _check_memory(role, group, path, places, report)
            if role is Role.NODEMANAGER:
                _check_offer(definition, group, path, places, report)


def _check_roles(definition: Definition, places: Places, report: Report) -> None:
    for role in definition.roles:
        needed = _NEEDS.get(role)
        if needed is not None and needed not in definition.roles:
            report.add(
                places.of(f"roles.{role}"),
                f"a {role} needs a {needed}, and there is none",
                f"add `{needed}:` to `roles:`",
            )
        count = definition.count(role)
        if ROLES[role].is_single and count > 1:
            report.add(
                places.of(f"roles.{role}"),
                f"{count} instances of {role}",
                "this version runs exactly 1: keep one group",
            )
        elif count > COUNT_LIMIT:
            report.add(places.of(f"roles.{role}"), f"{count} instances of {role} in all", f"at most {COUNT_LIMIT}")


def _check_replication(definition: Definition, places: Places, report: Report) -> None:
    datanodes = definition.count(Role.DATANODE)
    scopes = {"configuration": definition.configuration}
    for role, own in definition.role_configuration.items():
        scopes[f"roles.{role}.configuration"] = own
    for role, body in definition.roles.items():
        for name, group in body.groups.items():
            scopes[f"roles.{role}.groups.{name}.configuration"] = group.configuration
    for path, files in scopes.items():
        for key in ("dfs.replication", "dfs.namenode.replication.min"):
            text = files.get("hdfs-site", {}).get(key)
            if text is None:
                continue
            place = places.of(f"{path}.hdfs-site.{key}")
            most = min(datanodes, REPLICATION_MOST) if Role.DATANODE in definition.roles else REPLICATION_MOST
            if not (text.isascii() and text.isdigit() and len(text) < 6) or int(text) == 0:
                report.add(place, f"{key} is {printable(text)!r}", f"write a whole number from 1 to {most}")
            elif int(text) > most:
                what = f"{key} is {text}, but there are {datanodes} DataNodes"
                report.add(place, what, f"at most {most}, or raise the count of datanode")


def _check_memory(role: Role, group: Group, path: str, places: Places, report: Report) -> None:
    least = ROLE_SIZES[role].minimum
    if group.memory < least:
        what = f"{shown(path)}.memory is {group.memory}, too little for a {role} to start"
        report.add(places.of(f"{path}.memory"), what, f"give at least {least}")
    if group.heap is None:
        return
    most = sizing.largest_heap(group.memory)
    if group.heap > most:
        what = f"{shown(path)}.heap is {group.heap}, over {sizing.HEAP_SHARE} of the limit {group.memory}"
        report.add(places.of(f"{path}.heap"), what, f"at most {most.exact()}, or raise `memory`")
    elif group.heap < 64 * sizing.MIB:
        report.add(places.of(f"{path}.heap"), f"{shown(path)}.heap is {group.heap}", "give at least 64 MiB")


def _check_offer(definition: Definition, group: Group, path: str, places: Places, report: Report) -> None:
    """A NodeManager must have room for a job, and must not promise more than its limit."""
    key = "yarn.nodemanager.resource.memory-mb"
    own = {
        **definition.configuration.get("yarn-site", {}),
        **definition.role_configuration.get(Role.NODEMANAGER, {}).get("yarn-site", {}),
        **group.configuration.get("yarn-site", {}),
    }
    offered = sizing.yarn(group).memory.value
    if key in own:
        heap = sizing.heap(Role.NODEMANAGER, group).value
        most = (group.memory - heap) // sizing.MIB
        text = own[key]
        if not (text.isascii() and text.isdigit() and len(text) < 9) or not 0 < int(text) <= most:
            fix = f"write a whole number of MiB up to {most}: the limit {group.memory} less the heap {heap}"
            report.add(
                places.of(f"{path}.configuration.yarn-site.{key}"), f"{shown(path)}: {key} is {printable(text)!r}", fix
            )
        return
    needed = sizing.spark_needs() if definition.distribution.spark else 512
    if offered < needed and group.memory >= ROLE_SIZES[Role.NODEMANAGER].minimum:
        missing = Bytes(group.memory + (needed - offered) * sizing.MIB)
        what = f"{shown(path)}.memory is {group.memory}: {offered} MiB are left for jobs, one needs {needed}"
        report.add(places.of(f"{path}.memory"), what, f"give at least {missing.exact()}, or a smaller `heap`")
