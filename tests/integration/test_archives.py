"""The class archives are really used: daemons have them mapped, clients run where they must refuse without."""

import pytest

from tests.integration.conftest import RunningCluster

pytestmark = pytest.mark.engine

# The JVM unmaps an archive that it cannot use, and goes on in silence: what is mapped is used.
MAPPED = "cat /proc/[0-9]*/maps 2>/dev/null | grep -c hadoop.jsa"


@pytest.mark.parametrize("instance", ["nn1", "snn1", "dn1", "dn2", "rm1", "nm1", "nm2"])
def test_every_daemon_has_its_archive_mapped(cluster: RunningCluster, instance: str) -> None:
    regions = cluster.place.done("exec", cluster.name, instance, "--", "sh", "-c", MAPPED)
    assert int(regions) > 0


@pytest.mark.parametrize("arguments", ["hadoop", "spark"])
def test_a_client_runs_where_the_jvm_refuses_to_run_without(cluster: RunningCluster, arguments: str) -> None:
    command = ("java", f"@/opt/howdah/jvm/{arguments}.args", "-Xshare:on", "org.apache.hadoop.util.VersionInfo")
    assert "Hadoop 3.5.0" in cluster.place.done("exec", cluster.name, "gw1", "--", *command)


def test_a_jvm_with_another_class_path_refuses(cluster: RunningCluster) -> None:
    command = ("java", "@/opt/howdah/jvm/hadoop.flags", "-cp", "/etc/hadoop", "-Xshare:on", "Nothing")
    ended = cluster.place.howdah("exec", cluster.name, "gw1", "--", *command)
    assert ended.returncode == 1
    assert "Unable to use shared archive" in ended.stdout + ended.stderr
