"""What the archives are trained on: every daemon from nothing to serving, and the commands and jobs of users."""

import glob

from cluster import (
    CONFIGURATION,
    WORK,
    TrainingFailed,
    active_nodemanagers,
    get,
    highly_available_configuration,
    json_says,
    live_datanodes,
    port_is_open,
    single_configuration,
    write_text,
    zookeeper_configuration,
)

NAMENODE = "org.apache.hadoop.hdfs.server.namenode.NameNode"
DATANODE = "org.apache.hadoop.hdfs.server.datanode.DataNode"
SECONDARY = "org.apache.hadoop.hdfs.server.namenode.SecondaryNameNode"
JOURNALNODE = "org.apache.hadoop.hdfs.qjournal.server.JournalNode"
CONTROLLER = "org.apache.hadoop.hdfs.tools.DFSZKFailoverController"
RESOURCEMANAGER = "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager"
NODEMANAGER = "org.apache.hadoop.yarn.server.nodemanager.NodeManager"
HISTORY = "org.apache.hadoop.mapreduce.v2.hs.JobHistoryServer"
ZOOKEEPER = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
SHELL = "org.apache.hadoop.fs.FsShell"
ADMIN = "org.apache.hadoop.hdfs.tools.DFSAdmin"
JAR = "org.apache.hadoop.util.RunJar"


def example(name):
    return glob.glob("/opt/hadoop/share/hadoop-%s-*.jar" % name)[0]


def start_hadoop(cluster):
    single_configuration()
    cluster.run("format", NAMENODE, "-format", "-nonInteractive")
    cluster.start("namenode", NAMENODE, is_ready=port_is_open(8020))
    cluster.start("datanode", DATANODE, is_ready=live_datanodes(1))
    cluster.start("resourcemanager", RESOURCEMANAGER, is_ready=port_is_open(8031))
    cluster.start("nodemanager", NODEMANAGER, is_ready=active_nodemanagers(1))
    cluster.start("historyserver", HISTORY, is_ready=port_is_open(10020))


def files(cluster):
    write_text(WORK + "/words", "an elephant carries a howdah\n" * 1000)
    cluster.run("mkdir", SHELL, "-mkdir", "-p", "/user/root", "/user/hadoop", "/tmp", "/in")
    cluster.run("put", SHELL, "-put", WORK + "/words", "/in/words")
    cluster.run("ls", SHELL, "-ls", "-R", "/")
    cluster.run("cat", SHELL, "-cat", "/in/words")
    cluster.run("du", SHELL, "-du", "-s", "/in")
    cluster.run("setrep", SHELL, "-setrep", "1", "/in/words")
    cluster.run("rm", SHELL, "-rm", "-skipTrash", "/in/no-such-file", ok=(0, 1))
    cluster.run("report", ADMIN, "-report")
    cluster.run("safemode", ADMIN, "-safemode", "get")
    cluster.run("refresh", ADMIN, "-refreshNodes")
    cluster.run("fsck", "org.apache.hadoop.hdfs.tools.DFSck", "/")


def jobs(cluster):
    write_text(WORK + "/mapper", "#!/bin/sh\ncat\n")
    pi = [JAR, example("mapreduce-examples"), "pi"]
    if "Estimated value of Pi" not in cluster.run("pi", *pi, "2", "100"):
        raise TrainingFailed("pi gave no result")
    cluster.run("uber", *pi, "-Dmapreduce.job.ubertask.enable=true", "2", "100")
    cluster.run("wordcount", JAR, example("mapreduce-examples"), "wordcount", "/in", "/out")
    cluster.run(
        "streaming",
        JAR,
        example("streaming"),
        "-input",
        "/in",
        "-output",
        "/streamed",
        "-mapper",
        "cat",
        "-reducer",
        "wc",
    )
    cluster.run("distcp", "org.apache.hadoop.tools.DistCp", "/in", "/copied")
    cluster.run(
        "applications", "org.apache.hadoop.yarn.client.cli.ApplicationCLI", "application", "-list", "-appStates", "ALL"
    )
    cluster.run("nodes", "org.apache.hadoop.yarn.client.cli.NodeCLI", "-list")
    cluster.run("rmadmin", "org.apache.hadoop.yarn.client.cli.RMAdminCLI", "-refreshNodes")
    cluster.run("mapred-list", "org.apache.hadoop.mapred.JobClient", "-list", "all")


def pages():
    for url in (
        "9870/jmx",
        "9870/dfshealth.html",
        "9870/startupProgress",
        "9864/jmx",
        "8042/ws/v1/node/info",
        "8042/node",
        "9870/webhdfs/v1/?op=LISTSTATUS",
        "9870/webhdfs/v1/in/words?op=OPEN&user.name=root",
        "8088/jmx",
        "8088/cluster",
        "8088/ws/v1/cluster/info",
        "8088/ws/v1/cluster/apps",
        "8088/ws/v1/cluster/nodes",
        "8088/ws/v1/cluster/scheduler",
        "19888/ws/v1/history/mapreduce/jobs",
        "19888/jobhistory",
    ):
        get("http://localhost:" + url)


def checkpoint(cluster):
    image = "http://localhost:9868/jmx?qry=Hadoop:service=SecondaryNameNode,name=SecondaryNameNodeInfo"
    cluster.start(
        "secondarynamenode",
        SECONDARY,
        is_ready=json_says(image, lambda answer: answer["beans"][0]["LastCheckpointTime"] > 0),
    )


def restart(cluster):
    """Once more on existing data: what a stopped cluster does when it is started again."""
    cluster.stop("nodemanager", "datanode")
    cluster.stop("resourcemanager", "namenode")
    cluster.start("namenode", NAMENODE, is_ready=port_is_open(8020))
    cluster.start("datanode", DATANODE, is_ready=live_datanodes(1))
    cluster.start("resourcemanager", RESOURCEMANAGER, is_ready=port_is_open(8031))
    cluster.start("nodemanager", NODEMANAGER, is_ready=active_nodemanagers(1))


def highly_available(cluster):
    highly_available_configuration()
    zookeeper_configuration()
    first, second = "-Ddfs.ha.namenode.id=nn1", "-Ddfs.ha.namenode.id=nn2"
    active = json_says(
        "http://localhost:9870/jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus",
        lambda answer: answer["beans"][0]["State"] == "active",
    )
    cluster.start("zookeeper", ZOOKEEPER, CONFIGURATION + "/zoo.cfg", is_ready=port_is_open(8080))
    cluster.start("journalnode", JOURNALNODE, is_ready=port_is_open(8485))
    cluster.run("ha-format", NAMENODE, first, "-format", "-nonInteractive")
    cluster.run("format-zk", CONTROLLER, first, "-formatZK", "-nonInteractive")
    cluster.start("ha-namenode", NAMENODE, first, is_ready=port_is_open(8020))
    cluster.run("bootstrap", NAMENODE, second, "-bootstrapStandby", "-nonInteractive")
    cluster.start("ha-standby", NAMENODE, second, is_ready=port_is_open(8120))
    cluster.start("controller", CONTROLLER, first, is_ready=active)
    cluster.start("ha-datanode", DATANODE, is_ready=live_datanodes(1))
    cluster.run("ha-put", SHELL, "-put", "/etc/passwd", "/passwd")
    cluster.run("haadmin", "org.apache.hadoop.hdfs.tools.DFSHAAdmin", "-getAllServiceState")
    cluster.start(
        "ha-resourcemanager",
        RESOURCEMANAGER,
        is_ready=json_says(
            "http://localhost:8088/ws/v1/cluster/info",
            lambda answer: answer["clusterInfo"]["haState"] == "ACTIVE",
        ),
    )
    get("http://localhost:8080/commands/mntr")
    cluster.stop("ha-resourcemanager", "ha-datanode", "controller", "ha-standby")
    cluster.stop("ha-namenode")
    cluster.stop("journalnode", "zookeeper")


def hadoop(cluster):
    start_hadoop(cluster)
    files(cluster)
    jobs(cluster)
    checkpoint(cluster)
    pages()
    restart(cluster)
    cluster.stop(*cluster.running)
    highly_available(cluster)


def spark_configuration():
    write_text(
        CONFIGURATION + "/spark-defaults.conf",
        """\
spark.master yarn
spark.yarn.jars local:/opt/spark/jars/*
spark.driver.memory 512m
spark.executor.memory 512m
spark.executor.instances 1
spark.yarn.am.memory 512m
spark.scheduler.minRegisteredResourcesRatio 1
spark.yarn.scheduler.initial-allocation.interval 50
spark.yarn.scheduler.heartbeat.interval-ms 200
spark.yarn.report.interval 100
spark.eventLog.enabled true
spark.eventLog.dir hdfs:///spark-events
spark.history.fs.logDirectory hdfs:///spark-events
spark.sql.warehouse.dir hdfs:///warehouse
spark.sql.shuffle.partitions 2
""",
    )


def spark(cluster):
    start_hadoop(cluster)
    spark_configuration()
    cluster.run("mkdir", SHELL, "-mkdir", "-p", "/user/root", "/tmp", "/spark-events", "/warehouse")
    submit = ["/usr/local/bin/spark-submit"]
    pi = "/opt/spark/examples/src/main/python/pi.py"
    if "Pi is roughly" not in cluster.command("pi", [*submit, pi, "4"]):
        raise TrainingFailed("PySpark's pi gave no result")
    cluster.command("pi-cluster", [*submit, "--deploy-mode", "cluster", pi, "2"])
    cluster.command("tables", [*submit, "/training/tables.py"])
    cluster.command("sql", ["/usr/local/bin/spark-sql", "-e", "SELECT count(*) FROM range(1000) WHERE id % 3 = 0"])
    cluster.command("local", [*submit, "--master", "local[2]", pi, "2"])
    cluster.command("shell", ["sh", "-c", "echo 'println(sc.range(0, 10).sum())' | /usr/local/bin/spark-shell"])
    cluster.start(
        "history",
        "-Dspark.history.fs.logDirectory=hdfs:///spark-events",
        "org.apache.spark.deploy.history.HistoryServer",
        image="spark",
        is_ready=json_says("http://localhost:18080/api/v1/applications", lambda answer: len(answer) > 0),
    )
    connect = ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"]
    cluster.start_command("connect", [*submit, *connect], is_ready=port_is_open(15002))
    cluster.stop(*cluster.running)
