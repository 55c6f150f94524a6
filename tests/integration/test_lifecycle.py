"""A cluster from nothing to gone on a real engine, and back from its data."""

import hashlib
from collections.abc import Iterator

import pytest

from howdah.planning.registry import REGISTRY
from tests.integration.conftest import RunningCluster
from tests.integration.place import SMALLEST, Place

pytestmark = pytest.mark.engine

INSTANCES = ("nn1", "snn1", "dn1", "dn2", "rm1", "nm1", "nm2", "gw1")


@pytest.fixture
def own(place: Place, cluster: RunningCluster) -> Iterator[Place]:
    """For tests with clusters of their own: afterwards there is only the shared one."""
    before = (place.containers(), place.networks(), place.tree())
    yield place
    assert (place.containers(), place.networks(), place.tree()) == before
    assert place.orphans() == []


def parameters(**given: str) -> list[str]:
    return [word for name, value in given.items() for word in ("-p", f"{name}={value}")]


def test_a_launch_ends_with_everything_ready(cluster: RunningCluster) -> None:
    status = cluster.place.json("status", cluster.name)
    assert status["is_healthy"], status["sentence"]
    assert {row["instance"]: row["state"] for row in status["instances"]} == dict.fromkeys(INSTANCES, "ready")
    assert (status["hdfs"]["live_datanodes"], status["hdfs"]["missing_blocks"]) == (2, 0)
    assert set(cluster.client.endpoints(cluster.name)) == set(INSTANCES)
    listed = cluster.place.json("list")
    assert [each["name"] for each in listed["clusters"]] == [cluster.name]


def test_names_are_right_both_ways_in_every_container(cluster: RunningCluster) -> None:
    """Java resolves by the hosts list in the live bundle; other programs by the engine, which knows the names only."""
    endpoints = cluster.client.endpoints(cluster.name)
    expected = {(endpoint.address, endpoint.name) for endpoint in endpoints.values()}
    names = sorted(name for _, name in expected)
    for instance in INSTANCES:
        found = cluster.place.docker("exec", f"{cluster.name}-{instance}", "getent", "ahostsv4", *names)
        assert {line.split()[0] for line in found.splitlines()} == {address for address, _ in expected}, instance
        hosts = cluster.place.docker("exec", f"{cluster.name}-{instance}", "cat", "/etc/howdah/live/hosts")
        listed = {(line.split()[0], name) for line in hosts.splitlines() if line.strip() for name in line.split()[1:]}
        assert expected <= listed, instance
    # The NameNode lists DataNodes by the names that it finds for their addresses.
    report = cluster.place.docker("exec", f"{cluster.name}-gw1", "hdfs", "dfsadmin", "-report")
    lines = [line.split() for line in report.splitlines() if line.strip()]
    datanodes = {f"dn{n}.{cluster.name}.howdah" for n in (1, 2)}
    assert {words[1] for words in lines if words[0] == "Hostname:"} == datanodes


def test_every_container_is_confined(cluster: RunningCluster) -> None:
    names = [f"{cluster.name}-{instance}" for instance in INSTANCES] + [REGISTRY]
    for found in cluster.place.inspect(*names):
        name, config, host = found["Name"], found["Config"], found["HostConfig"]
        assert config["User"] == "10001:10001", name
        assert (host["CapDrop"], host["CapAdd"], host["Privileged"]) == (["ALL"], None, False), name
        assert "no-new-privileges" in host["SecurityOpt"], name
        assert host["ReadonlyRootfs"], name
        assert host["Memory"] > 0, name
        assert host["MemorySwap"] == host["Memory"], name
        assert host["PidsLimit"] > 0, name
        assert host["RestartPolicy"]["Name"] == "no", name
        assert not host["PortBindings"], name
        assert not any(found["NetworkSettings"]["Ports"].values()), name
        assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}, name
        for mount in found["Mounts"]:
            is_data = mount["Destination"] in ("/volume/data", "/scratch")
            assert mount["RW"] is is_data, f"{name} {mount['Destination']}"
    uid = cluster.place.docker("exec", f"{cluster.name}-nn1", "id", "-u").strip()
    assert uid == "10001"
    status = cluster.place.docker("exec", f"{cluster.name}-nn1", "cat", "/proc/1/status")
    assert "CapEff:\t0000000000000000" in status


def test_a_cluster_stops_starts_goes_and_comes_back_with_its_data(own: Place) -> None:
    own.done("launch", "small", "--name", "days", *parameters(**SMALLEST))
    before = own.json("status", "days")
    content = b"what was written before\n" * 1000
    write(own, "days-gw1", "/kept", content)
    cluster_id = version(own, "days-nn1")

    own.done("stop", "days")
    assert {one["State"]["Status"] for one in own.inspect(*of(own, "days"))} == {"exited"}
    assert own.json("status", "days")["phase"] == "STOPPED"
    own.done("start", "days")
    own.await_health("days")
    assert addresses(own.json("status", "days")) == addresses(before)
    assert read(own, "days-gw1", "/kept") == content

    deleted = own.done("delete", "days")
    assert "data set days" in deleted
    assert of(own, "days") == []
    assert "days" not in own.networks()
    kept = [each for each in own.json("list")["data_sets"] if not each["is_in_use"]]
    assert [(each["name"], len(each["volumes"])) for each in kept] == [("days", 4)]
    there = set(own.tree())
    assert {f"volumes/{each['volume']}" for each in kept[0]["volumes"]} <= there
    # The shared cluster's are all that is left beside volumes.
    assert len({path for path in there if not path.startswith("volumes/")}) == 2

    own.done("launch", "--from-data", "days", "--name", "nights")
    assert version(own, "nights-nn1") == cluster_id
    assert hashlib.sha256(read(own, "nights-gw1", "/kept")).digest() == hashlib.sha256(content).digest()
    own.done("delete", "nights", "--data", "destroy", "--yes", "--confirm", "nights")
    assert [each["name"] for each in own.json("list")["data_sets"]] == ["shared"]


def test_two_clusters_side_by_side_do_not_see_each_other(own: Place, cluster: RunningCluster) -> None:
    own.done("launch", "single", "--name", "beside", *parameters(worker_memory="1280 MiB"))
    mine, theirs = own.json("status", "beside"), own.json("status", cluster.name)
    networks = {a.rpartition(".")[0] for a in addresses(mine).values()}
    assert not networks & {a.rpartition(".")[0] for a in addresses(theirs).values()}
    namenode = addresses(theirs)["nn1"]
    ask = (
        "import socket,sys\n"
        "try: socket.gethostbyname(sys.argv[2]); print('the name is known')\n"
        "except OSError: pass\n"
        "try: socket.create_connection((sys.argv[1], 8020), 3); print('the address answers')\n"
        "except OSError: pass\n"
    )
    seen = own.docker("exec", "beside-gw1", "python3", "-c", ask, namenode, f"nn1.{cluster.name}.howdah")
    assert seen == ""
    write(own, "beside-gw1", "/mine", b"x")
    assert "/mine" not in own.docker("exec", f"{cluster.name}-gw1", "hdfs", "dfs", "-ls", "/")
    own.done("delete", "beside", "--data", "destroy", "--yes", "--confirm", "beside")
    own.await_health(cluster.name)


def of(place: Place, name: str) -> list[str]:
    return [container for container in place.containers() if container.startswith(f"{name}-")]


def addresses(status: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    return {row["instance"]: row["address"] for row in status["instances"]}


def version(place: Place, namenode: str) -> str:
    """The clusterID on the NameNode's disk."""
    text = place.docker("exec", namenode, "sh", "-c", "cat $(find /volume/data -path '*/current/VERSION' | head -1)")
    return next(line for line in text.splitlines() if line.startswith("clusterID="))


def write(place: Place, gateway: str, path: str, content: bytes) -> None:
    script = f"head -c {len(content)} /tmp/in | hdfs dfs -put - {path}"
    place.docker(
        "exec", gateway, "python3", "-c", f"open('/tmp/in','wb').write({content[:24]!r}*{len(content) // 24 or 1})"
    )
    place.docker("exec", gateway, "sh", "-c", script)


def read(place: Place, gateway: str, path: str) -> bytes:
    return place.docker("exec", gateway, "hdfs", "dfs", "-cat", path).encode()
