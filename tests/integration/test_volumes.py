"""Volumes that are not what they should be, on a real disk: refused by name before a container exists."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from howdah.testing.hosts import wait_for
from tests.integration.place import Place, command_line, refused

pytestmark = pytest.mark.engine

LAUNCH = ("launch", "single", "--name", "disks", "-p", "worker_memory=1280 MiB")
AGAIN = ("launch", "--from-data", "disks", "--name", "again")


@dataclass
class Kept:
    """The data set of a cluster that is gone."""

    place: Place
    volumes: dict[str, str]
    sums: str

    def fingerprint(self) -> str:
        """Of every file of HDFS's."""
        files = 'cd "$ROOT"/volumes && find . -path "*/data/*" -type f -exec sha256sum {} + | sort -k2'
        found = self.place.as_root(files)
        return "\n".join(line for line in found.splitlines() if any(v in line for v in self.volumes.values()))


@pytest.fixture(scope="module")
def kept(place: Place) -> Iterator[Kept]:
    place.done(*LAUNCH)
    place.docker("exec", "disks-gw1", "sh", "-c", "echo kept | hdfs dfs -put - /kept")
    place.done("delete", "disks")
    data_set = next(each for each in place.json("list")["data_sets"] if each["name"] == "disks")
    kept = Kept(place, {each["instance"]: each["volume"] for each in data_set["volumes"]}, "")
    kept.sums = kept.fingerprint()
    assert "fsimage" in kept.sums
    yield kept
    # Whatever was done to it, it serves in the end.
    place.done(*AGAIN)
    assert place.docker("exec", "again-gw1", "hdfs", "dfs", "-cat", "/kept") == "kept\n"
    place.done("delete", "again", "--data", "destroy", "--yes", "--confirm", "again")
    assert place.orphans() == []


VERSION = 'F=$(grep -rl "^clusterID=" "$V/data" --include VERSION | head -1); '
FOREIGN = "11111111-1111-4111-8111-111111111111"
DAMAGE = {
    "missing": ('mv "$V" "$ROOT/aside"', 'mv "$ROOT/aside" "$V"', "is missing"),
    "renamed": (
        'mv "$V" "$ROOT/volumes/00000000-0000-4000-8000-000000000000"',
        'mv "$ROOT/volumes/00000000-0000-4000-8000-000000000000" "$V"',
        "is missing",
    ),
    "foreign": (
        f"""cp -p "$I" "$ROOT/aside" && sed -i 's/"data_set": *"[^"]*"/"data_set": "{FOREIGN}"/' "$I" """,
        'mv "$ROOT/aside" "$I"',
        "belongs to",
    ),
    "wiped": (
        'mv "$V/data" "$ROOT/aside" && mkdir -m 700 "$V/data" && chown 10001:10001 "$V/data"',
        'rmdir "$V/data" && mv "$ROOT/aside" "$V/data"',
        "was wiped",
    ),
    "without identity": ('mv "$I" "$ROOT/aside"', 'mv "$ROOT/aside" "$I"', "no readable identity"),
    "of another cluster": (
        f"""{VERSION} cp -p "$F" "$ROOT/aside" && sed -i "s/^clusterID=.*/clusterID=CID-other/" "$F" """,
        f'{VERSION} cp -p "$ROOT/aside" "$F" && rm "$ROOT/aside"',
        "CID-other",
    ),
    "another's": ('chown 10002:10002 "$V/data"', 'chown 10001:10001 "$V/data"', "10002"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_volume_that_is_not_what_it_should_be_is_refused(kept: Kept, damage: str) -> None:
    do, undo, words = DAMAGE[damage]
    # Both kinds in turn; every kind of damage to every instance is tried in memory.
    instance = "nn1" if list(DAMAGE).index(damage) % 2 == 0 else "dn1"
    folder = f'V="$ROOT/volumes/{kept.volumes[instance]}"; I="$V/identity/volume.json"; '
    kept.place.as_root(folder + do)
    try:
        ended = kept.place.howdah(*AGAIN)
        refused(ended, 3, words, instance, kept.volumes[instance])
        assert not [name for name in kept.place.containers() if name.startswith(("disks-", "again-"))]
    finally:
        kept.place.howdah("delete", "again")
        kept.place.as_root(folder + undo)
    assert kept.fingerprint() == kept.sums


def test_a_format_that_is_killed_never_serves_and_heals(place: Place) -> None:
    environment = place.environment
    launch = ("launch", "single", "--name", "half", "-p", "worker_memory=1280 MiB")
    with subprocess.Popen(
        command_line(*launch), env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/"
    ) as running:
        wait_for(lambda: is_killed(place, "half-nn1-format"), "the format to begin", 60)
        _, stderr = running.communicate(timeout=120)
    assert running.returncode == 1, stderr
    assert "format" in stderr
    assert "Traceback" not in stderr
    assert "half-nn1" not in place.containers()
    place.done(*launch)
    place.await_health("half")
    assert place.orphans() == []
    assert [each["state"] for each in place.json("list")["data_sets"] if each["name"] == "half"] == ["READY"]
    place.done("delete", "half", "--data", "destroy", "--yes", "--confirm", "half")
    assert place.orphans() == []


def is_killed(place: Place, container: str) -> bool:
    command = ("docker", "--host", place.engine, "kill", container)
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
