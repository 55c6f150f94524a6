"""Properties that a definition may not set, each with the reason, and the files that it may set properties in.

Deprecated names count too: Hadoop copies them over the new ones (HdfsConfiguration, Configuration.addDeprecations).
"""

from howdah.model.roles import Role

FILES = ("core-site", "hdfs-site", "yarn-site", "mapred-site", "capacity-scheduler", "spark-defaults", "log4j")
"""What ``configuration`` may name; all but the last two become ``<name>.xml``."""

_FOLDER = "its folder is on the volume that howdah mounts, checks and keeps; give the size with `volume`"
_SCRATCH = "its folder is the instance's scratch; give the size with `scratch`"
_ADDRESS = "addresses follow from the cluster's name and the instances"
_MEMBERS = "the list of DataNodes is replaced while the cluster runs, when it is scaled"
_FORMAT = "it keeps a data set from being formatted a second time"
_STATE = "the ResourceManager's state store is always on and on its scratch folder"
_RECOVERY = "NodeManagers always take their containers up again after a restart"
_AVAILABILITY = "high availability is not part of this version"
_IDENTITY = "every process is the image's user hadoop"
_SECURITY = "Kerberos is not part of this version"
_JVM = "the image's Java home starts the tasks with the class archive"

_REASONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        _FOLDER,
        (
            "dfs.namenode.name.dir", "dfs.name.dir", "dfs.namenode.edits.dir", "dfs.name.edits.dir",
            "dfs.datanode.data.dir", "dfs.data.dir", "dfs.namenode.checkpoint.dir", "fs.checkpoint.dir",
            "dfs.namenode.checkpoint.edits.dir", "fs.checkpoint.edits.dir", "dfs.journalnode.edits.dir",
            "hadoop.tmp.dir",
        ),
    ),
    (
        _SCRATCH,
        (
            "yarn.nodemanager.local-dirs", "yarn.nodemanager.log-dirs", "yarn.nodemanager.recovery.dir",
            "yarn.resourcemanager.leveldb-state-store.path", "mapreduce.cluster.local.dir", "mapred.local.dir",
        ),
    ),
    (
        _ADDRESS,
        (
            "fs.defaultFS", "fs.default.name",
            "dfs.namenode.rpc-address", "dfs.namenode.http-address", "dfs.http.address",
            "dfs.namenode.servicerpc-address", "dfs.namenode.lifeline.rpc-address", "dfs.namenode.rpc-bind-host",
            "dfs.namenode.http-bind-host", "dfs.namenode.secondary.http-address", "dfs.secondary.http.address",
            "dfs.datanode.address", "dfs.datanode.ipc.address", "dfs.datanode.http.address", "dfs.datanode.hostname",
            "slave.host.name", "dfs.http.policy", "yarn.http.policy", "yarn.resourcemanager.hostname",
            "yarn.resourcemanager.address", "yarn.resourcemanager.scheduler.address",
            "yarn.resourcemanager.resource-tracker.address", "yarn.resourcemanager.admin.address",
            "yarn.resourcemanager.webapp.address", "yarn.resourcemanager.bind-host", "yarn.nodemanager.hostname",
            "yarn.nodemanager.address", "yarn.nodemanager.bind-host", "yarn.nodemanager.localizer.address",
            "yarn.nodemanager.webapp.address", "mapreduce.shuffle.port", "spark.hadoop.fs.defaultFS",
        ),
    ),
    (_MEMBERS, ("dfs.hosts", "dfs.hosts.exclude", "dfs.namenode.hosts.provider.classname")),
    (_FORMAT, ("dfs.reformat.disabled", "dfs.namenode.support.allow.format", "dfs.journalnode.enable.sync.format")),
    (_STATE, ("yarn.resourcemanager.store.class", "yarn.resourcemanager.recovery.enabled")),
    (_RECOVERY, ("yarn.nodemanager.recovery.enabled", "yarn.nodemanager.recovery.supervised")),
    (
        _AVAILABILITY,
        (
            "dfs.nameservices", "dfs.federation.nameservices", "dfs.internal.nameservices", "dfs.nameservice.id",
            "dfs.ha.automatic-failover.enabled", "dfs.namenode.shared.edits.dir", "yarn.resourcemanager.ha.enabled",
        ),
    ),
    (
        _IDENTITY,
        ("yarn.nodemanager.container-executor.class", "dfs.permissions.superusergroup", "dfs.permissions.supergroup"),
    ),
    (_SECURITY, ("hadoop.security.authentication", "hadoop.security.authorization")),
    (_JVM, ("yarn.nodemanager.env-whitelist", "yarn.application.classpath", "mapreduce.application.classpath")),
)  # fmt: skip

MANAGED = {name: reason for reason, names in _REASONS for name in names}
"""Property name to the reason it is howdah's."""

_CHECKPOINT = "the NameNode takes no checkpoint that comes earlier than its own setting expects, and says so to nobody"
_HEARTBEAT = "NameNode and DataNodes must agree on it, or live DataNodes count as dead"

WHOLE_CLUSTER = {
    "dfs.namenode.checkpoint.period": _CHECKPOINT,
    "dfs.namenode.checkpoint.txns": _CHECKPOINT,
    "dfs.heartbeat.interval": _HEARTBEAT,
}
"""Properties that may be set for the whole cluster only, with the reason."""

_READ_BY = {
    "core-site": frozenset(Role),
    "hdfs-site": frozenset(Role),
    "log4j": frozenset(Role),
    "yarn-site": frozenset({Role.RESOURCEMANAGER, Role.NODEMANAGER, Role.GATEWAY}),
    "mapred-site": frozenset({Role.NODEMANAGER, Role.GATEWAY}),
    "capacity-scheduler": frozenset({Role.RESOURCEMANAGER}),
    "spark-defaults": frozenset({Role.GATEWAY}),
}


def reason_managed(name: str) -> str | None:
    """Why a property is howdah's alone, or None. ``spark.hadoop.X`` counts as X."""
    return MANAGED.get(name) or MANAGED.get(name.removeprefix("spark.hadoop."))


def files_of(role: Role) -> tuple[str, ...]:
    """The files that an instance of this role reads: a change in another restarts nothing."""
    return tuple(name for name in FILES if role in _READ_BY[name])
