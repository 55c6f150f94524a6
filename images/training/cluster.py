"""A small Hadoop cluster on loopback, for training the class archives: it runs what users run, and fails if that fails."""

import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

CONFIGURATION = "/etc/hadoop"
JVM = "/opt/howdah/jvm"
WORK = "/training/work"
START_SECONDS = 120
STOP_SECONDS = 120
COMMAND_SECONDS = 300


class TrainingFailed(Exception):
    """What did not work, with the end of what it said."""


def write_site(name, properties):
    lines = ["<property><name>%s</name><value>%s</value></property>" % item for item in properties.items()]
    with open("%s/%s" % (CONFIGURATION, name), "w", encoding="utf-8") as file:
        file.write("<configuration>\n%s\n</configuration>\n" % "\n".join(lines))


def write_text(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def single_configuration():
    """One of each, the features on that every template has: leveldb state stores, recovery."""
    write_site(
        "core-site.xml",
        {
            "fs.defaultFS": "hdfs://localhost:8020",
            "hadoop.tmp.dir": WORK + "/tmp",
            "hadoop.http.staticuser.user": "hadoop",
        },
    )
    write_site(
        "hdfs-site.xml",
        {
            "dfs.namenode.name.dir": WORK + "/nn",
            "dfs.datanode.data.dir": WORK + "/dn",
            "dfs.namenode.checkpoint.dir": WORK + "/snn",
            "dfs.namenode.rpc-address": "localhost:8020",
            "dfs.namenode.http-address": "localhost:9870",
            "dfs.namenode.secondary.http-address": "localhost:9868",
            "dfs.namenode.checkpoint.check.period": "1",
            "dfs.namenode.checkpoint.txns": "1",
            "dfs.namenode.safemode.extension": "0",
            "dfs.namenode.hosts.provider.classname": "org.apache.hadoop.hdfs.server.blockmanagement.CombinedHostFileManager",
            "dfs.hosts": CONFIGURATION + "/dfs.hosts",
            "dfs.replication": "1",
            "dfs.heartbeat.interval": "1",
        },
    )
    write_text(CONFIGURATION + "/dfs.hosts", '[{"hostName": "localhost"}]')
    write_site(
        "mapred-site.xml",
        {
            "mapreduce.framework.name": "yarn",
            "mapreduce.application.classpath": CONFIGURATION + ",/opt/hadoop/lib/*",
            "yarn.app.mapreduce.am.resource.mb": "512",
            "yarn.app.mapreduce.am.command-opts": "-Xmx400m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
            "mapreduce.map.memory.mb": "384",
            "mapreduce.reduce.memory.mb": "384",
            "mapred.child.java.opts": "-Xmx300m -XX:+UseSerialGC -XX:TieredStopAtLevel=1",
            "mapreduce.client.progressmonitor.pollinterval": "100",
            "mapreduce.client.completion.pollinterval": "100",
            "yarn.app.mapreduce.am.staging-dir": "/user",
            "yarn.app.mapreduce.am.scheduler.heartbeat.interval-ms": "100",
            "mapreduce.jobhistory.address": "localhost:10020",
            "mapreduce.jobhistory.webapp.address": "localhost:19888",
            "mapreduce.jobhistory.move.interval-ms": "1000",
        },
    )
    write_site(
        "yarn-site.xml",
        {
            "yarn.resourcemanager.hostname": "localhost",
            "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": "100",
            "yarn.resourcemanager.recovery.enabled": "true",
            "yarn.resourcemanager.store.class": "org.apache.hadoop.yarn.server.resourcemanager.recovery.LeveldbRMStateStore",
            "yarn.resourcemanager.leveldb-state-store.path": WORK + "/rmstore",
            "yarn.resourcemanager.nodes.include-path": CONFIGURATION + "/yarn.include",
            "yarn.client.app-submission.poll-interval": "50",
            "yarn.nodemanager.aux-services": "mapreduce_shuffle",
            "yarn.nodemanager.address": "localhost:45454",
            "yarn.nodemanager.resource.memory-mb": "4096",
            "yarn.nodemanager.resource.cpu-vcores": "8",
            "yarn.scheduler.minimum-allocation-mb": "128",
            "yarn.nodemanager.vmem-check-enabled": "false",
            "yarn.nodemanager.pmem-check-enabled": "false",
            "yarn.nodemanager.local-dirs": WORK + "/local",
            "yarn.nodemanager.log-dirs": WORK + "/logs",
            "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": "100",
            "yarn.nodemanager.recovery.enabled": "true",
            "yarn.nodemanager.recovery.dir": WORK + "/recovery",
            "yarn.log-aggregation-enable": "true",
            "yarn.nodemanager.remote-app-log-dir": "/logs",
            "yarn.log.server.url": "http://localhost:19888/jobhistory/logs",
            "yarn.application.classpath": CONFIGURATION + ",/opt/hadoop/lib/*",
            "yarn.nodemanager.env-whitelist": "JAVA_HOME,HADOOP_CONF_DIR,HADOOP_HOME,HADOOP_MAPRED_HOME,PATH,SPARK_HOME,SPARK_CONF_DIR",
        },
    )
    write_text(CONFIGURATION + "/yarn.include", "localhost\n")
    write_site(
        "capacity-scheduler.xml",
        {
            "yarn.scheduler.capacity.root.queues": "default",
            "yarn.scheduler.capacity.root.default.capacity": "100",
            "yarn.scheduler.capacity.maximum-am-resource-percent": "0.9",
        },
    )
    write_text(
        CONFIGURATION + "/log4j.properties",
        """\
log4j.rootLogger=INFO,console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c: %m%n
""",
    )
    hosts = "127.0.0.1 localhost %s\n0.0.0.0 0.0.0.0\n" % socket.gethostname()
    write_text(CONFIGURATION + "/hosts", hosts)


def highly_available_configuration():
    """The same with a JournalNode, failover controllers and a ResourceManager that keeps its state in ZooKeeper."""
    single_configuration()
    hdfs = {
        "dfs.nameservices": "ha",
        "dfs.ha.namenodes.ha": "nn1,nn2",
        "dfs.namenode.name.dir": WORK + "/ha-${dfs.ha.namenode.id}",
        "dfs.namenode.shared.edits.dir": "qjournal://localhost:8485/ha",
        "dfs.journalnode.edits.dir": WORK + "/jn",
        "dfs.datanode.data.dir": WORK + "/ha-dn",
        "dfs.client.failover.proxy.provider.ha": "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider",
        "dfs.ha.automatic-failover.enabled": "true",
        "dfs.ha.fencing.methods": "shell(/bin/true)",
        "dfs.ha.tail-edits.in-progress": "true",
        "dfs.ha.tail-edits.period": "500ms",
        "dfs.namenode.safemode.extension": "0",
        "dfs.replication": "1",
    }
    for number, offset in (("1", 0), ("2", 100)):
        hdfs["dfs.namenode.rpc-address.ha.nn" + number] = "localhost:%d" % (8020 + offset)
        hdfs["dfs.namenode.http-address.ha.nn" + number] = "localhost:%d" % (9870 + offset)
        hdfs["dfs.ha.zkfc.port.ha.nn" + number] = str(8019 + offset)
    write_site("hdfs-site.xml", hdfs)
    write_site(
        "core-site.xml",
        {
            "fs.defaultFS": "hdfs://ha",
            "hadoop.tmp.dir": WORK + "/tmp",
            "ha.zookeeper.quorum": "localhost:2181",
            "hadoop.zk.address": "localhost:2181",
            "ha.health-monitor.check-interval.ms": "200",
        },
    )
    write_site(
        "yarn-site.xml",
        {
            "yarn.resourcemanager.ha.enabled": "true",
            "yarn.resourcemanager.ha.rm-ids": "rm1,rm2",
            "yarn.resourcemanager.ha.id": "rm1",
            "yarn.resourcemanager.cluster-id": "training",
            "yarn.resourcemanager.zk-address": "localhost:2181",
            "yarn.resourcemanager.hostname.rm1": "localhost",
            "yarn.resourcemanager.hostname.rm2": "localhost",
            "yarn.resourcemanager.webapp.address.rm1": "localhost:8088",
            "yarn.resourcemanager.webapp.address.rm2": "localhost:8188",
            "yarn.resourcemanager.recovery.enabled": "true",
            "yarn.resourcemanager.store.class": "org.apache.hadoop.yarn.server.resourcemanager.recovery.ZKRMStateStore",
        },
    )


def zookeeper_configuration():
    os.makedirs(WORK + "/zk", exist_ok=True)
    write_text(
        CONFIGURATION + "/zoo.cfg",
        """\
tickTime=500
initLimit=20
syncLimit=10
dataDir=%s/zk
4lw.commands.whitelist=*
admin.enableServer=true
admin.serverPort=8080
server.1=localhost:2888:3888;2181
"""
        % WORK,
    )
    write_text(WORK + "/zk/myid", "1\n")


class Cluster:
    """Starts daemons and commands as the image is meant to, and stops what it started."""

    def __init__(self):
        self.running = {}
        self.logs = WORK + "/out"
        os.makedirs(self.logs, exist_ok=True)
        os.makedirs(CONFIGURATION, exist_ok=True)

    def java(self, *words, image="hadoop"):
        return [
            "/usr/lib/jvm/java/bin/java",
            "@%s/%s.args" % (JVM, image),
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xmx256m",
            "-Djdk.net.hosts.file=%s/hosts" % CONFIGURATION,
            *words,
        ]

    def start(self, name, *words, is_ready, image="hadoop"):
        self.start_command(name, self.java(*words, image=image), is_ready)

    def start_command(self, name, command, is_ready):
        log_path = "%s/%s" % (self.logs, name)
        with open(log_path, "ab") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.running[name] = process
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            if process.poll() is not None:
                raise TrainingFailed("%s ended with %d\n%s" % (name, process.returncode, end_of(log_path)))
            if time.monotonic() > deadline:
                raise TrainingFailed("%s not ready in %d s\n%s" % (name, START_SECONDS, end_of(log_path)))
            time.sleep(0.1)
        print("ready: %s" % name, flush=True)

    def stop(self, *names):
        for name in names:
            self.running[name].send_signal(signal.SIGTERM)
        for name in names:
            try:
                self.running[name].wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                raise TrainingFailed("%s did not stop in %d s" % (name, STOP_SECONDS)) from None
            del self.running[name]

    def kill_all(self):
        for process in self.running.values():
            process.kill()
            process.wait()
        self.running.clear()

    def run(self, name, *words, ok=(0,)):
        return self.command(name, self.java(*words), ok=ok)

    def command(self, name, command, ok=(0,), environment=None):
        log_path = "%s/%s" % (self.logs, name)
        with open(log_path, "ab") as log:
            code = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=COMMAND_SECONDS,
                env={**os.environ, **(environment or {})},
                check=False,
            ).returncode
        if code not in ok:
            raise TrainingFailed("%s ended with %d\n%s" % (name, code, end_of(log_path)))
        print("done: %s" % name, flush=True)
        with open(log_path, encoding="utf-8", errors="replace") as log:
            return log.read()


def end_of(path, lines=40):
    with open(path, encoding="utf-8", errors="replace") as file:
        text = "".join(file.readlines()[-lines:])
    for extra in sorted(glob.glob(WORK + "/logs/*/*/std*"))[-6:]:
        with open(extra, encoding="utf-8", errors="replace") as file:
            text += "--- %s\n%s" % (extra, "".join(file.readlines()[-lines:]))
    return text


def port_is_open(port):
    def check():
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", port)) == 0

    return check


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read()
    except OSError:
        return b""


def json_says(url, check):
    def ask():
        try:
            return check(json.loads(get(url)))
        except (ValueError, LookupError, TypeError):
            return False

    return ask


def live_datanodes(count, port=9870):
    bean = "http://localhost:%d/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState" % port
    return json_says(bean, lambda answer: answer["beans"][0]["NumLiveDataNodes"] == count)


def active_nodemanagers(count):
    return json_says(
        "http://localhost:8088/ws/v1/cluster/metrics",
        lambda answer: answer["clusterMetrics"]["activeNodes"] == count,
    )


def clean():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
