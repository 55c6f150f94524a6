from benchmarks import stock
from benchmarks.jobs import merged
from howdah.hadoop.commands import MAIN_CLASSES, WAIT
from howdah.model.roles import Role

OURS = (
    "java",
    "@/opt/howdah/jvm/hadoop.args",
    "-Xms32m",
    "-Xmx768m",
    "-Xss512k",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djdk.net.hosts.file=/etc/howdah/live/hosts",
    MAIN_CLASSES[Role.NAMENODE],
    "-format",
    "-nonInteractive",
)


def test_a_stock_daemon_keeps_class_path_heap_and_configuration_alone() -> None:
    assert stock.command(OURS) == (
        "java",
        "@/opt/howdah/jvm/hadoop.args",
        "-Xmx768m",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djdk.net.hosts.file=/etc/howdah/live/hosts",
        f"-XX:SharedArchiveFile={stock.ARCHIVE}",
        MAIN_CLASSES[Role.NAMENODE],
        "-format",
        "-nonInteractive",
    )


def test_what_is_no_jvm_stays_as_it_is() -> None:
    assert stock.command(WAIT) == WAIT


def test_clients_and_tasks_get_the_plain_jvm_too() -> None:
    changed = stock.environment({"HADOOP_CLIENT_OPTS": "-Xmx896m -XX:+UseSerialGC -XX:TieredStopAtLevel=1", "A": "b"})
    assert changed["A"] == "b"
    assert changed["JAVA_HOME"] == stock.JAVA
    assert "TieredStopAtLevel=1" not in changed["HADOOP_CLIENT_OPTS"]
    assert changed["HADOOP_CLIENT_OPTS"].startswith("-Xmx896m -XX:-UseSerialGC")


def test_settings_are_merged_by_file() -> None:
    whole = merged(stock.FLAGS, stock.INTERVALS)
    assert whole["spark-defaults"] == {**stock.FLAGS["spark-defaults"], **stock.INTERVALS["spark-defaults"]}
    assert merged() == {}
