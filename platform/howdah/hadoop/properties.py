"""What stands in each configuration file, property by property. Numbers come from howdah.hadoop.sizing."""

from collections.abc import Mapping
from dataclasses import dataclass

from howdah.hadoop import layout
from howdah.hadoop.sizing import JobSize, Pace, jobs, pace, yarn
from howdah.model.cluster import Desired, Instance
from howdah.model.definition import Definition
from howdah.model.roles import ROLES, Role

Properties = dict[str, str]
ANYWHERE = "0.0.0.0"
_BLOCKS = "org.apache.hadoop.hdfs.server.blockmanagement"
_RECOVERY = "org.apache.hadoop.yarn.server.resourcemanager.recovery"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the files of one cluster are computed from. Names are empty where there is no such instance."""

    definition: Definition
    namenode: str
    secondarynamenode: str
    resourcemanager: str
    pace: Pace
    jobs: JobSize

    @property
    def java_flags(self) -> str:
        """For the JVMs of jobs."""
        quick = " -XX:TieredStopAtLevel=1" if self.definition.jvm == "quick" else ""
        return f"-XX:+UseSerialGC{quick}"

    @property
    def has_yarn(self) -> bool:
        """Whether jobs can run at all."""
        return bool(self.resourcemanager)


def facts(desired: Desired) -> Facts:
    """Look them up once."""
    definition = desired.definition

    def name(role: Role) -> str:
        return next((instance.host_name for instance in desired.of(role)), "")

    def groups(role: Role) -> tuple[str, ...]:
        return tuple(definition.roles[role].groups) if role in definition.roles else ()

    nodemanagers = [definition.roles[Role.NODEMANAGER].groups[group] for group in groups(Role.NODEMANAGER)]
    gateway = next((definition.roles[Role.GATEWAY].groups[group] for group in groups(Role.GATEWAY)), None)
    return Facts(
        definition=definition,
        namenode=name(Role.NAMENODE),
        secondarynamenode=name(Role.SECONDARYNAMENODE),
        resourcemanager=name(Role.RESOURCEMANAGER),
        pace=pace(definition),
        jobs=jobs(nodemanagers, gateway),
    )


def core_site(about: Facts) -> Properties:
    """What every process reads."""
    properties = {
        "hadoop.tmp.dir": "/tmp/hadoop",
        "hadoop.http.staticuser.user": layout.USER,
        "fs.trash.interval": "1440",
        "io.file.buffer.size": "65536",
        "ipc.client.connect.retry.interval": "200",
        "ipc.client.connect.max.retries": "50",
    }
    if about.namenode:
        properties["fs.defaultFS"] = f"hdfs://{about.namenode}:{ROLES[Role.NAMENODE].ports['rpc']}"
    return properties


def hdfs_site(about: Facts, instance: Instance | None) -> Properties:
    """HDFS. Without ``instance``: what clients need. ``dfs.replication`` is in the live part (see ``derived``)."""
    properties = {
        "dfs.checksum.combine.mode": "COMPOSITE_CRC",
        # With two or three DataNodes there is none to replace a failed one in a pipeline (HDFS-4600).
        "dfs.client.block.write.replace-datanode-on-failure.best-effort": "true",
    }
    if about.namenode:
        ports = ROLES[Role.NAMENODE].ports
        properties["dfs.namenode.rpc-address"] = f"{about.namenode}:{ports['rpc']}"
        properties["dfs.namenode.http-address"] = f"{about.namenode}:{ports['http']}"
    if about.secondarynamenode:
        port = ROLES[Role.SECONDARYNAMENODE].ports["http"]
        properties["dfs.namenode.secondary.http-address"] = f"{about.secondarynamenode}:{port}"
    match instance.role if instance else None:
        case Role.NAMENODE:
            properties |= _namenode(about)
        case Role.SECONDARYNAMENODE:
            properties |= {
                "dfs.namenode.checkpoint.dir": f"file://{layout.CHECKPOINT_FOLDER}",
                "dfs.namenode.checkpoint.check.period": "30",
            }
        case Role.DATANODE if instance:
            properties |= _datanode(instance)
    return properties


def _namenode(about: Facts) -> Properties:
    """Decommissioning and re-replication tuned from 79 s to 3 s for 90 blocks; dead after 2 x 15 s + 10 x 1 s."""
    return {
        "dfs.namenode.rpc-bind-host": ANYWHERE,
        "dfs.namenode.http-bind-host": ANYWHERE,
        "dfs.namenode.name.dir": f"file://{layout.NAME_FOLDER}",
        "dfs.reformat.disabled": "true",
        "dfs.permissions.superusergroup": layout.USER,
        "dfs.namenode.hosts.provider.classname": f"{_BLOCKS}.CombinedHostFileManager",
        "dfs.hosts": layout.DATANODES_FILE,
        "dfs.namenode.handler.count": str(about.pace.handlers),
        "dfs.namenode.safemode.extension": "0",
        "dfs.heartbeat.interval": "1",
        "dfs.namenode.heartbeat.recheck-interval": "15000",
        "dfs.namenode.decommission.interval": "1",
        "dfs.namenode.maintenance.replication.min": "1",
        "dfs.namenode.redundancy.interval.seconds": "1s",
        "dfs.namenode.replication.max-streams": "50",
        "dfs.namenode.replication.max-streams-hard-limit": "100",
        "dfs.namenode.replication.work.multiplier.per.iteration": "50",
    }


def _datanode(instance: Instance) -> Properties:
    ports = ROLES[Role.DATANODE].ports
    return {
        "dfs.datanode.hostname": instance.host_name,
        "dfs.datanode.address": f"{ANYWHERE}:{ports['data']}",
        "dfs.datanode.ipc.address": f"{ANYWHERE}:{ports['ipc']}",
        "dfs.datanode.http.address": f"{ANYWHERE}:{ports['http']}",
        "dfs.datanode.data.dir": f"file://{layout.BLOCK_FOLDER}",
        "dfs.datanode.synconclose": "true",
        "dfs.datanode.handler.count": "4",
        "dfs.heartbeat.interval": "1",
        # DataNodes of one host share its disk: leave some of it to everyone else.
        "dfs.datanode.du.reserved": str(2**30),
        "dfs.permissions.superusergroup": layout.USER,
    }


def yarn_site(about: Facts, instance: Instance | None) -> Properties:
    """YARN. Without ``instance``: what clients need."""
    if not about.has_yarn:
        return {}
    name = about.resourcemanager
    properties = {
        "yarn.resourcemanager.hostname": name,
        "yarn.resourcemanager.address": f"{name}:{ROLES[Role.RESOURCEMANAGER].ports['rpc']}",
        "yarn.resourcemanager.scheduler.address": f"{name}:8030",
        "yarn.resourcemanager.resource-tracker.address": f"{name}:8031",
        "yarn.resourcemanager.admin.address": f"{name}:8033",
        "yarn.resourcemanager.webapp.address": f"{name}:{ROLES[Role.RESOURCEMANAGER].ports['http']}",
        "yarn.resourcemanager.connect.retry-interval.ms": "500",
        "yarn.client.application-client-protocol.poll-interval-ms": "50",
        "yarn.application.classpath": f"{layout.CONFIGURATION},{layout.HADOOP_JARS}",
        "yarn.log-aggregation-enable": "true",
        "yarn.log-aggregation.retain-seconds": "604800",
        "yarn.nodemanager.remote-app-log-dir": "/yarn/logs",
        "yarn.nodemanager.vmem-check-enabled": "false",
    }
    match instance.role if instance else None:
        case Role.RESOURCEMANAGER:
            properties |= _resourcemanager(about)
        case Role.NODEMANAGER if instance:
            properties |= _nodemanager(instance)
    return properties


def _resourcemanager(about: Facts) -> Properties:
    groups = (
        about.definition.roles[Role.NODEMANAGER].groups.values() if Role.NODEMANAGER in about.definition.roles else ()
    )
    offers = [yarn(group) for group in groups]
    threads = str(about.pace.handlers)
    return {
        "yarn.resourcemanager.bind-host": ANYWHERE,
        "yarn.resourcemanager.recovery.enabled": "true",
        "yarn.resourcemanager.store.class": f"{_RECOVERY}.LeveldbRMStateStore",
        "yarn.resourcemanager.leveldb-state-store.path": layout.STATE_FOLDER,
        "yarn.resourcemanager.work-preserving-recovery.scheduling-wait-ms": "1000",
        "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": str(about.pace.heartbeat_ms),
        "yarn.nm.liveness-monitor.expiry-interval-ms": "30000",
        "yarn.resourcemanager.client.thread-count": threads,
        "yarn.resourcemanager.scheduler.client.thread-count": threads,
        "yarn.resourcemanager.resource-tracker.client.thread-count": threads,
        "yarn.resourcemanager.amlauncher.thread-count": threads,
        "yarn.scheduler.minimum-allocation-mb": "128",
        "yarn.scheduler.maximum-allocation-mb": str(max((offer.memory.value for offer in offers), default=1024)),
        "yarn.scheduler.maximum-allocation-vcores": str(max((offer.vcores.value for offer in offers), default=1)),
    }


def _nodemanager(instance: Instance) -> Properties:
    offer = yarn(instance.settings)
    name = instance.host_name
    health = "yarn.nodemanager.disk-health-checker"
    return {
        "yarn.nodemanager.hostname": name,
        "yarn.nodemanager.bind-host": ANYWHERE,
        "yarn.nodemanager.address": f"{name}:{ROLES[Role.NODEMANAGER].ports['rpc']}",
        "yarn.nodemanager.localizer.address": f"{name}:8040",
        "yarn.nodemanager.webapp.address": f"{name}:{ROLES[Role.NODEMANAGER].ports['http']}",
        "yarn.nodemanager.resource.memory-mb": str(offer.memory.value),
        "yarn.nodemanager.resource.cpu-vcores": str(offer.vcores.value),
        "yarn.nodemanager.pmem-check-enabled": "true",
        "yarn.nodemanager.local-dirs": layout.LOCAL_FOLDER,
        "yarn.nodemanager.log-dirs": layout.LOG_FOLDER,
        "yarn.nodemanager.recovery.enabled": "true",
        "yarn.nodemanager.recovery.supervised": "true",
        "yarn.nodemanager.recovery.dir": layout.RECOVERY_FOLDER,
        "yarn.nodemanager.aux-services": "mapreduce_shuffle",
        "yarn.nodemanager.container-monitor.interval-ms": "1000",
        "yarn.nodemanager.env-whitelist": (
            "JAVA_HOME,HADOOP_COMMON_HOME,HADOOP_HDFS_HOME,HADOOP_CONF_DIR,HADOOP_YARN_HOME,HADOOP_HOME,HADOOP_MAPRED_HOME,"
            "CLASSPATH_PREPEND_DISTCACHE,SPARK_HOME,SPARK_CONF_DIR,PATH,LANG,TZ,MALLOC_ARENA_MAX"
        ),
        # The disk is the host's and shared; 90 % would take every NodeManager of a fairly full machine away at once.
        f"{health}.max-disk-utilization-per-disk-percentage": "98",
        f"{health}.min-free-space-per-disk-mb": "512",
    }


def mapred_site(about: Facts) -> Properties:
    """MapReduce. Heaps follow from containers' memory (mapreduce.job.heap.memory-mb.ratio): jobs can ask for more."""
    if not about.has_yarn:
        return {}
    size = about.jobs
    heartbeat, poll = str(about.pace.heartbeat_ms), str(about.pace.poll_ms)
    master = size.application_master.value
    return {
        "mapreduce.framework.name": "yarn",
        "mapreduce.application.classpath": f"{layout.CONFIGURATION},{layout.HADOOP_JARS}",
        "mapreduce.job.ubertask.enable": "true",
        "mapreduce.job.heap.memory-mb.ratio": "0.75",
        "mapreduce.map.memory.mb": str(size.map.value),
        "mapreduce.reduce.memory.mb": str(size.reduce.value),
        "mapreduce.map.java.opts": about.java_flags,
        "mapreduce.reduce.java.opts": about.java_flags,
        "mapreduce.task.io.sort.mb": str(max(50, size.map.value // 5)),
        "yarn.app.mapreduce.am.resource.mb": str(master),
        "yarn.app.mapreduce.am.command-opts": f"-Xmx{master * 3 // 4}m {about.java_flags}",
        "yarn.app.mapreduce.am.staging-dir": "/user",
        "yarn.app.mapreduce.am.scheduler.heartbeat.interval-ms": heartbeat,
        "mapreduce.client.progressmonitor.pollinterval": poll,
        "mapreduce.client.completion.pollinterval": poll,
    }


def capacity_scheduler(about: Facts) -> Properties:
    """One queue, for there is no file with Hadoop's jars and the ResourceManager does not start without one."""
    if not about.has_yarn:
        return {}
    prefix = "yarn.scheduler.capacity"
    return {
        f"{prefix}.root.queues": "default",
        f"{prefix}.root.default.capacity": "100",
        f"{prefix}.root.default.maximum-capacity": "100",
        f"{prefix}.root.default.state": "RUNNING",
        # 0.1 is for hundreds of nodes: on two, one application master would be over it.
        f"{prefix}.maximum-am-resource-percent": "0.5",
        f"{prefix}.node-locality-delay": str(about.pace.locality_delay),
    }


def spark_defaults(about: Facts) -> Properties:
    """Spark on YARN, for where jobs are submitted."""
    if not about.has_yarn or not about.definition.distribution.spark:
        return {}
    size = about.jobs
    return {
        "spark.master": "yarn",
        "spark.submit.deployMode": "client",
        # A path on every node instead of 300 MB uploaded for each job.
        "spark.yarn.jars": f"local:{layout.SPARK_JARS}",
        "spark.yarn.report.interval": f"{about.pace.poll_ms}ms",
        "spark.yarn.scheduler.initial-allocation.interval": "50ms",
        "spark.yarn.scheduler.heartbeat.interval-ms": str(about.pace.heartbeat_ms),
        "spark.yarn.containerLauncherMaxThreads": str(about.pace.handlers),
        "spark.driver.memory": f"{size.driver.value}m",
        "spark.executor.memory": f"{size.executor.value}m",
        "spark.executor.memoryOverhead": f"{size.executor_overhead.value}m",
        "spark.executor.cores": str(size.executor_cores.value),
        "spark.yarn.am.memory": f"{size.spark_master.value}m",
        "spark.yarn.am.memoryOverhead": f"{size.spark_master_overhead.value}m",
        "spark.driver.extraJavaOptions": about.java_flags,
        "spark.executor.extraJavaOptions": about.java_flags,
        "spark.yarn.am.extraJavaOptions": about.java_flags,
    }


def log4j(role: Role) -> Properties:
    """Everything to the container's log; a gateway's programs keep standard output for results."""
    return {
        "log4j.rootLogger": "INFO, console",
        "log4j.appender.console": "org.apache.log4j.ConsoleAppender",
        "log4j.appender.console.target": "System.err" if role is Role.GATEWAY else "System.out",
        "log4j.appender.console.layout": "org.apache.log4j.PatternLayout",
        "log4j.appender.console.layout.ConversionPattern": "%d{ISO8601} %p %c{2}: %m%n",
    }


def overrides(definition: Definition, instance: Instance, file: str) -> Mapping[str, str]:
    """What the definition says for a file: the cluster's, then the role's, then the group's."""
    return {
        **definition.configuration.get(file, {}),
        **definition.role_configuration.get(instance.role, {}).get(file, {}),
        **instance.settings.configuration.get(file, {}),
    }
