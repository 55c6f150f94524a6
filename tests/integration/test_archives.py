"""The class archives are really used: every JVM starts where it must refuse without."""

from pathlib import Path

import pytest

from tests.integration.place import Place

pytestmark = pytest.mark.engine

# Of two equal options the JVM takes the later one, and a definition's own come last: -Xshare:on ends a JVM that cannot
# map its archive.
DEFINITION = """\
howdah: 1
name: archives
extends: single
roles:
  namenode: {java_options: ["-Xshare:on"]}
  datanode: {java_options: ["-Xshare:on"]}
  resourcemanager: {java_options: ["-Xshare:on"]}
  nodemanager: {java_options: ["-Xshare:on"]}
"""


def test_no_jvm_of_ours_runs_without_its_archive(place: Place, tmp_path: Path) -> None:
    definition = tmp_path / "archives.yaml"
    definition.write_text(DEFINITION)
    place.done("launch", str(definition))
    try:
        for arguments in ("hadoop", "spark"):
            command = ("java", f"@/opt/howdah/jvm/{arguments}.args", "-Xshare:on", "org.apache.hadoop.util.VersionInfo")
            assert "Hadoop 3.5.0" in place.done("exec", "archives", "gw1", "--", *command)
        # The control: the same JVM refuses where the class path does not begin as the archive's does.
        broken = ("java", "@/opt/howdah/jvm/hadoop.flags", "-cp", "/etc/hadoop", "-Xshare:on", "Nothing")
        ended = place.howdah("exec", "archives", "gw1", "--", *broken)
        assert ended.returncode != 0
        assert "shared" in (ended.stdout + ended.stderr).lower()
    finally:
        place.done("delete", "archives", "--data", "destroy", "--yes", "--confirm", "archives")
