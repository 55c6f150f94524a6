from collections.abc import Callable

import pytest

from howdah.errors import UserError
from howdah.hadoop import versions
from howdah.hadoop.commands import MAIN_CLASSES, command, environment, format_command
from howdah.model.cluster import Desired
from howdah.model.roles import Role
from tests.unit.hadoop.conftest import SMALL

From = Callable[[str], Desired]


def test_a_daemon_is_java_with_the_images_arguments_first_and_its_class_last(small: Desired) -> None:
    argv = command(small, small.of(Role.NAMENODE)[0])
    assert argv[:2] == ("java", "@/opt/howdah/jvm/hadoop.args")
    assert argv[-1] == MAIN_CLASSES[Role.NAMENODE]
    assert "-Xmx768m" in argv
    assert "-Djdk.net.hosts.file=/etc/howdah/live/hosts" in argv


def test_quick_and_steady(desired: From, small: Desired) -> None:
    c1 = "-XX:TieredStopAtLevel=1"
    steady = desired(SMALL + "jvm: steady\n")
    assert c1 in command(small, small.of(Role.DATANODE)[0])
    assert c1 not in command(steady, steady.of(Role.DATANODE)[0])
    assert c1 not in environment(steady, steady.of(Role.GATEWAY)[0])["HADOOP_CLIENT_OPTS"]


def test_options_of_the_definition_come_last_and_a_collector_replaces_ours(desired: From) -> None:
    text = SMALL.replace(
        "namenode: {memory: 1 GiB}", "namenode: {memory: 1 GiB, java_options: ['-XX:+UseG1GC', '-Da=b c']}"
    )
    cluster = desired(text)
    argv = command(cluster, cluster.of(Role.NAMENODE)[0])
    assert argv[-3:-1] == ("-XX:+UseG1GC", "-Da=b c")
    assert "-XX:+UseSerialGC" not in argv


def test_a_format_names_the_cluster_id_and_asks_nothing(small: Desired) -> None:
    argv = format_command(small, small.of(Role.NAMENODE)[0], "CID-7")
    assert argv[-5:] == (MAIN_CLASSES[Role.NAMENODE], "-format", "-nonInteractive", "-clusterId", "CID-7")


def test_a_gateway_waits_and_ends_when_asked_to(small: Desired) -> None:
    argv = command(small, small.of(Role.GATEWAY)[0])
    assert argv[:2] == ("sh", "-c")
    assert "trap 'exit 0' TERM" in argv[2]


def test_the_environment_of_the_definition_comes_last(desired: From) -> None:
    cluster = desired(
        SMALL.replace("gateway: {memory: 2 GiB}", "gateway: {environment: {MALLOC_ARENA_MAX: '4', TZ: UTC}}")
    )
    variables = environment(cluster, cluster.of(Role.GATEWAY)[0])
    assert (variables["MALLOC_ARENA_MAX"], variables["TZ"]) == ("4", "UTC")


def test_every_daemon_has_a_class() -> None:
    assert set(MAIN_CLASSES) == set(Role) - {Role.GATEWAY}


def test_the_default_version_is_supported() -> None:
    assert versions.find(versions.DEFAULT.hadoop) is versions.DEFAULT


@pytest.mark.parametrize("hadoop", ["3.3.6", "2.10.2", ""])
def test_another_version_is_refused_with_the_list(hadoop: str) -> None:
    with pytest.raises(UserError) as refusal:
        versions.find(hadoop)
    assert "Hadoop 3.5.0 on Java 25 with Spark 4.3.0" in refusal.value.fix
