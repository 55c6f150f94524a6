"""A tree to a Definition: every field read and named, all problems listed, defaults filled in."""

import re
from collections.abc import Mapping
from typing import Literal, cast

from howdah.definitions import fields
from howdah.definitions.fields import COUNT_LIMIT, GROUP_NAME_LIMIT, Report, shown
from howdah.definitions.nearest import suggestion
from howdah.definitions.tree import Items, Node, Place, Scalar, Table
from howdah.errors import UserError
from howdah.hadoop import versions
from howdah.hadoop.managed import FILES, WHOLE_CLUSTER, files_of, reason_managed
from howdah.hadoop.sizing import ROLE_SIZES
from howdah.model.definition import Definition, Distribution, Group, Lifecycle, RoleDefinition, VolumeSize
from howdah.model.roles import ROLES, Role, Storage
from howdah.units import Bytes, Cores, Duration

TTL_LEAST, TTL_MOST = Duration(60), Duration(365 * 86400)
_TOP = ("howdah", "name", "extends", "distribution", "jvm", "roles", "configuration", "lifecycle")
_LATER = {
    "placement": "this version runs clusters on one host: remove it",
    "connects": "this version does not connect clusters: remove it",
    "allow": "this version does not connect clusters: remove it",
    "idle": "this version ends clusters by `ttl` only: remove it",
}
_GROUP = ("count", "memory", "cpus", "heap", "volume", "scratch", "java_options", "environment", "configuration")
_LATER_ROLES = ("zookeeper", "journalnode", "historyserver", "sparkhistory")
_PROPERTY = re.compile(r"[A-Za-z0-9_*][A-Za-z0-9_.*/$@+-]{0,199}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_OUR_VARIABLE = re.compile(
    r"HOWDAH_.*|HADOOP_CONF_DIR|YARN_CONF_DIR|SPARK_CONF_DIR|HADOOP_HOME|SPARK_HOME|JAVA_HOME|CLASSPATH|LD_.*|JDK_JAVA_OPTIONS"
)
_OUR_OPTIONS = (
    (re.compile(r"-Xm[sx]|-XX:(Max|Initial|Min)(RAM|HeapSize)"), "the heap is set with `heap`"),
    (re.compile(r"(-cp|-classpath|--class-path|-jar|-m|--module|-p|--module-path)\b"), "the class path is the image's"),
    (re.compile(r"-Djava\.class\.path"), "the class path is the image's"),
    (re.compile(r"-Djdk\.net\.hosts\.file|-Dlog4j\.configuration"), "names and logs are howdah's"),
    (re.compile(r"-XX:(AOT|SharedArchive|\+?AutoCreateShared)|-Xshare"), "the class archive is the image's"),
)  # fmt: skip
_QUICK: tuple[str, str] = ("quick", "steady")


def check(document: Table, report: Report, *, extends: bool) -> Definition | None:
    """The definition, or None where the report says why not. ``extends`` was resolved before, or is refused."""
    keys = _TOP if extends else tuple(key for key in _TOP if key != "extends")
    fields.known_keys(document, "", keys, report, _LATER)
    if "howdah" in document.entries:
        _format(document.get("howdah"), report)
    name = _name(document, report)
    distribution = _distribution(document.get("distribution"), report)
    jvm = fields.choice(document.get("jvm"), "jvm", _QUICK, report) or "quick"
    configuration = _configuration(document.get("configuration"), "configuration", FILES, report)
    roles, role_configuration = _roles(document, report)
    lifecycle = _lifecycle(document.get("lifecycle"), report)
    if report.problems:
        return None
    return Definition(
        name=name,
        distribution=distribution,
        jvm=cast(Literal["quick", "steady"], jvm),
        roles=roles,
        configuration=configuration,
        role_configuration=role_configuration,
        lifecycle=lifecycle,
    )


def _format(node: Node | None, report: Report) -> None:
    value = fields.scalar(node, "howdah", report)
    if value is not None and (value.is_quoted or value.text != "1"):
        fix = "write `howdah: 1`, or upgrade howdah if the file is of a newer one"
        report.add(value.place, f"howdah is {fields.printable(value.text)!r}: this version reads format 1", fix)


def _name(document: Table, report: Report) -> str:
    node = document.get("name")
    if node is None or (isinstance(node, Scalar) and node.is_null):
        report.add(
            document.place if node is None else node.place,
            "the cluster has no name",
            "write `name: sales`, or give --name",
        )
        return ""
    value = fields.scalar(node, "name", report)
    problem = fields.name_problem(value.text) if value is not None else None
    if value is not None and problem is not None:
        what, fix = problem
        report.add(value.place, f"name {fields.printable(value.text)!r} {what}", fix)
    return value.text if value is not None else ""


def _distribution(node: Node | None, report: Report) -> Distribution:
    table = fields.table(node, "distribution", report)
    if table is None:
        return Distribution()
    fields.known_keys(table, "distribution", ("hadoop", "spark", "java"), report)
    hadoop = table.get("hadoop")
    wanted = fields.scalar(hadoop, "distribution.hadoop", report)
    row = versions.DEFAULT
    if wanted is not None:
        try:
            row = versions.find(wanted.text)
        except UserError as error:
            report.add(
                wanted.place, f"distribution.hadoop is {fields.printable(wanted.text)!r}: not supported", error.fix
            )
            return Distribution()
    java = fields.scalar(table.get("java"), "distribution.java", report)
    if java is not None and java.text != row.java:
        what = f"distribution.java is {fields.printable(java.text)!r}: not supported with Hadoop {row.hadoop}"
        report.add(java.place, what, f"supported: {versions.supported_text()}")
    spark = table.get("spark")
    if spark is None or (isinstance(spark, Scalar) and spark.is_null):
        return Distribution(hadoop=row.hadoop)
    chosen = fields.scalar(spark, "distribution.spark", report)
    if chosen is not None and chosen.text not in row.spark:
        what = f"distribution.spark is {fields.printable(chosen.text)!r}: not supported with Hadoop {row.hadoop}"
        report.add(chosen.place, what, f"supported: {versions.supported_text()}")
    return Distribution(hadoop=row.hadoop, spark=chosen.text if chosen is not None else None)


def _roles(
    document: Table, report: Report
) -> tuple[dict[Role, RoleDefinition], dict[Role, Mapping[str, Mapping[str, str]]]]:
    roles: dict[Role, RoleDefinition] = {}
    configurations: dict[Role, Mapping[str, Mapping[str, str]]] = {}
    table = fields.table(document.get("roles"), "roles", report)
    if table is None or not table.entries:
        if table is not None or "roles" not in document.entries:
            place = table.place if table is not None else document.place
            report.add(place, "the definition has no roles", "write `roles:`, or extend a template: `extends: small`")
        return roles, configurations
    names = tuple(role.value for role in Role)
    for entry in table.entries.values():
        if entry.key not in names:
            is_later = entry.key in _LATER_ROLES
            what = (
                f"this version does not run the role `{entry.key}`"
                if is_later
                else f"unknown role `{fields.printable(entry.key)}`"
            )
            report.add(entry.place, what, f"there is {', '.join(names)}" if is_later else suggestion(entry.key, names))
            continue
        role, path = Role(entry.key), f"roles.{entry.key}"
        body = fields.table(entry.value, path, report)
        if body is None:
            continue
        configuration = _configuration(body.get("configuration"), f"{path}.configuration", files_of(role), report)
        if configuration:
            configurations[role] = configuration
        groups = fields.table(body.get("groups"), f"{path}.groups", report)
        if groups is not None:
            roles[role] = RoleDefinition(groups=_groups(role, groups, f"{path}.groups", report))
    return roles, configurations


def _groups(role: Role, table: Table, path: str, report: Report) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    if not table.entries:
        report.add(table.place, f"{path} has no group", "write one: `default: {count: 1}`")
    for entry in table.entries.values():
        problem = fields.name_problem(entry.key, GROUP_NAME_LIMIT)
        if problem is not None:
            report.add(entry.place, f"group {fields.printable(entry.key)!r} {problem[0]}", problem[1])
        body = fields.table(entry.value, f"{path}.{entry.key}", report)
        if body is not None:
            groups[entry.key] = _group(role, body, f"{path}.{entry.key}", report)
    return groups


def _group(role: Role, table: Table, path: str, report: Report) -> Group:
    fields.known_keys(table, path, _GROUP, report, _LATER)
    sizes = ROLE_SIZES[role]
    traits = ROLES[role]
    most = 1 if traits.is_single else COUNT_LIMIT
    count = fields.whole(table.get("count"), f"{path}.count", 1, most, report) if "count" in table.entries else 1
    volume, scratch = _storage(role, table, path, report)
    return Group(
        count=count or 1,
        memory=fields.parsed(table.get("memory"), f"{path}.memory", fields.amount, report) or sizes.memory,
        cpus=fields.parsed(table.get("cpus"), f"{path}.cpus", Cores.parse, report),
        heap=fields.parsed(table.get("heap"), f"{path}.heap", fields.amount, report),
        volume=VolumeSize(size=volume or sizes.folder) if traits.storage is Storage.VOLUME else None,
        scratch=scratch or sizes.folder if traits.storage is Storage.SCRATCH else None,
        java_options=_java_options(table.get("java_options"), f"{path}.java_options", report),
        environment=_environment(table.get("environment"), f"{path}.environment", report),
        configuration=_configuration(table.get("configuration"), f"{path}.configuration", files_of(role), report),
    )


def _storage(role: Role, table: Table, path: str, report: Report) -> tuple[Bytes | None, Bytes | None]:
    keeps_volume = ROLES[role].storage is Storage.VOLUME
    volume, scratch = table.entries.get("volume"), table.entries.get("scratch")
    if scratch is not None and keeps_volume:
        report.add(scratch.place, f"{shown(path)}.scratch: a {role} keeps a volume", "write `volume: {size: 50 GiB}`")
        scratch = None
    if volume is not None and not keeps_volume:
        report.add(volume.place, f"{shown(path)}.volume: a {role} keeps no volume", "write `scratch: 20 GiB`")
        volume = None
    size = None
    if volume is not None and not isinstance(volume.value, Table):
        text = volume.value.text if isinstance(volume.value, Scalar) else "a list"
        what = f"{shown(path)}.volume is {fields.printable(text)!r}: volumes go by size and name only, never by a path"
        report.add(volume.value.place, what, "write `volume: {size: 50 GiB}`")
    elif volume is not None and isinstance(volume.value, Table):
        fields.known_keys(volume.value, f"{path}.volume", ("size",), report)
        size = fields.parsed(volume.value.get("size"), f"{path}.volume.size", fields.amount, report)
    return size, fields.parsed(scratch.value if scratch else None, f"{path}.scratch", fields.amount, report)


def _java_options(node: Node | None, path: str, report: Report) -> tuple[str, ...]:
    options = fields.texts(node, path, report)
    for index, option in enumerate(options):
        place = node.items[index].place if isinstance(node, Items) else Place("", 0, 0)
        if not re.match(r"-[A-Za-z-]", option):
            report.add(
                place, f"{shown(path)}[{index}] is {fields.printable(option)!r}", "an option of java begins with `-`"
            )
        for pattern, reason in _OUR_OPTIONS:
            if pattern.match(option):
                report.add(
                    place, f"{shown(path)}[{index}] is {fields.printable(option)!r}: {reason}", "remove the option"
                )
    return options


def _environment(node: Node | None, path: str, report: Report) -> dict[str, str]:
    table = fields.table(node, path, report)
    variables: dict[str, str] = {}
    for entry in table.entries.values() if table is not None else ():
        if not _VARIABLE.fullmatch(entry.key):
            report.add(
                entry.place, f"{shown(path)}: {fields.printable(entry.key)!r} is no variable", "letters, digits and `_`"
            )
        elif _OUR_VARIABLE.fullmatch(entry.key):
            report.add(entry.place, f"{shown(path)}: {entry.key} is set by the image or by howdah", "remove it")
        else:
            value = fields.text(entry.value, f"{path}.{entry.key}", report)
            variables[entry.key] = value or ""
    return variables


def _configuration(
    node: Node | None, path: str, files: tuple[str, ...], report: Report
) -> dict[str, Mapping[str, str]]:
    table = fields.table(node, path, report)
    configuration: dict[str, Mapping[str, str]] = {}
    for entry in table.entries.values() if table is not None else ():
        if entry.key not in files:
            bare = entry.key.removesuffix(".xml").removesuffix(".conf").removesuffix(".properties")
            fix = f"write `{bare}`" if bare in files else suggestion(entry.key, files)
            report.add(entry.place, f"{shown(path)}: no file `{fields.printable(entry.key)}` is read here", fix)
            continue
        body = fields.table(entry.value, f"{path}.{entry.key}", report)
        properties = _properties(body, f"{path}.{entry.key}", report) if body is not None else {}
        if properties:
            configuration[entry.key] = properties
    return configuration


def _properties(table: Table, path: str, report: Report) -> dict[str, str]:
    properties: dict[str, str] = {}
    for entry in table.entries.values():
        reason = reason_managed(entry.key)
        if not _PROPERTY.fullmatch(entry.key):
            report.add(
                entry.place,
                f"{shown(path)}: {fields.printable(entry.key)!r} is no name of a property",
                "letters, digits, `.` and `-`",
            )
        elif reason is not None:
            report.add(entry.place, f"{shown(path)}: {entry.key} is managed: {reason}", "remove it")
        elif entry.key in WHOLE_CLUSTER and path.startswith("roles."):
            what = f"{shown(path)}: {entry.key} is for the whole cluster: {WHOLE_CLUSTER[entry.key]}"
            report.add(entry.place, what, "set it in `configuration` at the top")
        else:
            value = fields.text(entry.value, f"{path}.{entry.key}", report)
            properties[entry.key] = value or ""
    return properties


def _lifecycle(node: Node | None, report: Report) -> Lifecycle:
    table = fields.table(node, "lifecycle", report)
    if table is None:
        return Lifecycle()
    fields.known_keys(table, "lifecycle", ("ttl", "data"), report, _LATER)
    data = fields.choice(table.get("data"), "lifecycle.data", ("keep", "destroy"), report) or "keep"
    return Lifecycle(ttl=_ttl(table.get("ttl"), report), data=cast(Literal["keep", "destroy"], data))


def _ttl(node: Node | None, report: Report) -> Duration | None:
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return None
    value = fields.scalar(node, "lifecycle.ttl", report)
    if value is None:
        return None
    try:
        ttl = Duration.parse(value.text)
    except UserError:
        ttl = Duration(0)
    if not TTL_LEAST <= ttl <= TTL_MOST:
        what = f"lifecycle.ttl is {fields.printable(value.text)!r}"
        report.add(value.place, what, f"from {TTL_LEAST} to {TTL_MOST}, counted from the launch: `4h`, `1h30m`")
        return None
    return ttl
