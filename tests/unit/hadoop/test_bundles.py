import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping

import pytest

from howdah.hadoop.bundles import bundle, client_configuration
from howdah.hadoop.managed import MANAGED
from howdah.hadoop.properties import facts, hdfs_site, yarn_site
from howdah.model.cluster import Desired, Instance
from howdah.model.roles import Role
from tests.unit.hadoop.conftest import SMALL

From = Callable[[str], Desired]


def properties(text: str) -> dict[str, str]:
    return {
        node.findtext("name") or "": node.findtext("value") or ""
        for node in ElementTree.fromstring(text).iter("property")
    }


def first(desired: Desired, role: Role) -> Instance:
    return desired.of(role)[0]


def digests(desired: Desired) -> Mapping[str, str]:
    return {instance.name: bundle(desired, instance).digest for instance in desired.instances}


@pytest.mark.parametrize(
    ("role", "files"),
    [
        (Role.NAMENODE, {"core-site.xml", "hdfs-site.xml"}),
        (Role.DATANODE, {"core-site.xml", "hdfs-site.xml"}),
        (Role.SECONDARYNAMENODE, {"core-site.xml", "hdfs-site.xml"}),
        (Role.RESOURCEMANAGER, {"core-site.xml", "hdfs-site.xml", "yarn-site.xml", "capacity-scheduler.xml"}),
        (Role.NODEMANAGER, {"core-site.xml", "hdfs-site.xml", "yarn-site.xml", "mapred-site.xml"}),
        (Role.GATEWAY, {"core-site.xml", "hdfs-site.xml", "yarn-site.xml", "mapred-site.xml", "spark-defaults.conf"}),
    ],
)
def test_each_role_has_the_files_that_it_reads(small: Desired, role: Role, files: set[str]) -> None:
    made = set(bundle(small, first(small, role)).static)
    assert made == files | {"log4j.properties", "hadoop-metrics2.properties"}


def test_addresses_are_names_of_this_cluster(small: Desired) -> None:
    static = bundle(small, first(small, Role.GATEWAY)).static
    assert properties(static["core-site.xml"])["fs.defaultFS"] == "hdfs://nn1.sales.howdah:8020"
    assert properties(static["yarn-site.xml"])["yarn.resourcemanager.address"] == "rm1.sales.howdah:8032"
    datanode = properties(bundle(small, small.of(Role.DATANODE)[1]).static["hdfs-site.xml"])
    assert datanode["dfs.datanode.hostname"] == "dn2.sales.howdah"


def test_adding_instances_restarts_nothing(desired: From, small: Desired) -> None:
    larger = digests(desired(SMALL.replace("count: 2", "count: 5")))
    assert {name: larger[name] for name in digests(small)} == digests(small)


def test_adding_instances_reaches_the_live_part(desired: From, small: Desired) -> None:
    larger = desired(SMALL.replace("count: 2", "count: 5"))
    live = bundle(larger, first(larger, Role.NAMENODE)).live
    assert [entry["hostName"] for entry in json.loads(live["dfs.hosts.json"])] == [
        f"dn{n}.sales.howdah" for n in range(1, 6)
    ]
    assert properties(live["derived.xml"]) == {"dfs.replication": "3"}
    assert properties(bundle(small, first(small, Role.GATEWAY)).live["derived.xml"]) == {"dfs.replication": "2"}
    assert "10.1.0.17 dn5.sales.howdah\n" in live["hosts"]


def test_the_hosts_list_answers_for_the_machine_itself(small: Desired) -> None:
    lines = bundle(small, first(small, Role.DATANODE)).live["hosts"].splitlines()
    assert lines[:2] == ["127.0.0.1 localhost", "0.0.0.0 0.0.0.0"]
    assert len(lines) == 2 + len(small.instances)


@pytest.mark.parametrize(
    ("change", "restarted"),
    [
        ("memory: 2 GiB}\n  gateway", {"nm1", "nm2", "rm1", "gw1"}),
        ("namenode: {memory: 1 GiB}", {"nn1"}),
        ("datanode: {count: 2, memory: 768 MiB}", {"dn1", "dn2"}),
    ],
)
def test_a_change_restarts_what_it_concerns(desired: From, small: Desired, change: str, restarted: set[str]) -> None:
    changed = digests(
        desired(
            SMALL.replace(
                change,
                change.replace("memory: 768 MiB", "memory: 3 GiB")
                .replace("memory: 2 GiB", "memory: 3 GiB")
                .replace("memory: 1 GiB", "memory: 3 GiB"),
            )
        )
    )
    before = digests(small)
    assert {name for name in before if before[name] != changed[name]} == restarted


def test_the_groups_word_goes_before_the_roles_and_the_clusters(desired: From) -> None:
    text = """
name: sales
configuration: {core-site: {io.file.buffer.size: 1, a: cluster, b: cluster, c: cluster}}
roles:
  namenode:
  datanode:
    configuration: {core-site: {b: role, c: role}}
    groups:
      ssd: {configuration: {core-site: {c: group}}}
      hdd: {}
"""
    cluster = desired(text)
    ssd, hdd = (properties(bundle(cluster, instance).static["core-site.xml"]) for instance in cluster.of(Role.DATANODE))
    namenode = properties(bundle(cluster, first(cluster, Role.NAMENODE)).static["core-site.xml"])
    assert [ssd["a"], ssd["b"], ssd["c"]] == ["cluster", "role", "group"]
    assert [hdd["a"], hdd["b"], hdd["c"]] == ["cluster", "role", "role"]
    assert [namenode["a"], namenode["b"], namenode["c"]] == ["cluster"] * 3
    assert namenode["io.file.buffer.size"] == "1"


def test_a_replication_of_the_definition_goes_before_the_derived_one(desired: From) -> None:
    cluster = desired(SMALL + "configuration: {hdfs-site: {dfs.replication: 1}}\n")
    text = bundle(cluster, first(cluster, Role.GATEWAY)).static["hdfs-site.xml"]
    assert text.index("xi:include") < text.index("dfs.replication")
    assert properties(client_configuration(cluster)["hdfs-site.xml"])["dfs.replication"] == "1"


def test_clients_outside_get_no_path_of_a_container(small: Desired) -> None:
    files = client_configuration(small)
    assert set(files) == {"core-site.xml", "hdfs-site.xml", "yarn-site.xml", "mapred-site.xml"}
    assert "include" not in files["hdfs-site.xml"]
    assert properties(files["hdfs-site.xml"])["dfs.replication"] == "2"
    assert "hadoop.tmp.dir" not in properties(files["core-site.xml"])


def test_a_cluster_without_yarn_has_no_yarn_files(desired: From) -> None:
    cluster = desired("name: store\nroles: {namenode: , datanode: , gateway: }")
    files = set(bundle(cluster, first(cluster, Role.GATEWAY)).static)
    assert files == {"core-site.xml", "hdfs-site.xml", "log4j.properties", "hadoop-metrics2.properties"}


def test_a_resourcemanager_alone_can_be_configured(desired: From) -> None:
    cluster = desired("name: one\nroles: {namenode: , resourcemanager: }")
    settings = properties(bundle(cluster, first(cluster, Role.RESOURCEMANAGER)).static["yarn-site.xml"])
    assert settings["yarn.resourcemanager.recovery.enabled"] == "true"


def test_every_folder_and_address_that_is_set_is_also_managed(small: Desired) -> None:
    about = facts(small)
    set_here: dict[str, str] = {}
    for instance in small.instances:
        set_here |= hdfs_site(about, instance) | yarn_site(about, instance)
    unguarded = {
        name
        for name, value in set_here.items()
        if name not in MANAGED and (value.startswith(("file:", "/volume", "/scratch", "/etc")) or ".howdah:" in value)
    }
    assert unguarded == set()


def test_a_bundle_says_nothing_that_changes_between_two_runs(small: Desired) -> None:
    for instance in small.instances:
        assert bundle(small, instance) == bundle(small, instance)
