from dataclasses import replace
from typing import Any

import pytest

from howdah.engines.docker import bodies
from howdah.engines.docker.images import label_change, progress_lines, split
from howdah.errors import Failed
from howdah.ports.engine import InstanceSpec, Mount, Phase, Usage
from howdah.units import Bytes

SPEC = InstanceSpec(
    name="sales-dn1",
    image="howdah/hadoop:3.5.0",
    command=("java", "DataNode"),
    hostname="dn1.sales.howdah",
    network="sales",
    labels={"howdah.cluster": "u"},
    memory=Bytes(2**30),
    address="10.0.0.5",
    aliases=("sales-dn1", "dn1.sales.howdah"),
    mounts=(Mount("/data/v", "/volume/data"), Mount("/data/i", "/volume/identity", is_read_only=True)),
    cpus=1.5,
)


def test_every_container_is_confined() -> None:
    host = bodies.instance_body(SPEC)["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert "CapAdd" not in host
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["ReadonlyRootfs"] is True
    assert host["Memory"] == host["MemorySwap"] == 2**30
    assert host["RestartPolicy"] == {"Name": "no"}
    assert "Binds" not in host
    assert "PortBindings" not in host


def test_an_instance_has_its_address_its_names_and_its_mounts() -> None:
    body = bodies.instance_body(SPEC)
    endpoint = body["NetworkingConfig"]["EndpointsConfig"]["sales"]
    assert endpoint == {"Aliases": ["sales-dn1", "dn1.sales.howdah"], "IPAMConfig": {"IPv4Address": "10.0.0.5"}}
    assert [(m["Type"], m["Source"], m["ReadOnly"]) for m in body["HostConfig"]["Mounts"]] == [
        ("bind", "/data/v", False),
        ("bind", "/data/i", True),
    ]
    assert body["HostConfig"]["NanoCpus"] == 1_500_000_000
    assert "Entrypoint" not in body


def test_without_a_network_there_is_none() -> None:
    body = bodies.instance_body(replace(SPEC, network="", address=""))
    assert body["HostConfig"]["NetworkMode"] == "none"
    assert "NetworkingConfig" not in body


@pytest.mark.parametrize("status", ["created", "running", "restarting", "paused", "removing", "exited", "dead"])
def test_every_state_of_the_engine_is_a_phase(status: str) -> None:
    found: dict[str, Any] = {
        "Name": "/sales-dn1",
        "State": {"Status": status, "StartedAt": bodies.NEVER, "ExitCode": 7, "OOMKilled": True},
        "Config": {"Labels": None, "Image": "i"},
        "NetworkSettings": {"Networks": {"sales": {"IPAddress": "", "IPAMConfig": {"IPv4Address": "10.0.0.5"}}}},
    }
    state = bodies.instance_state(found)
    assert (state.name, state.address, state.started_at) == ("sales-dn1", "10.0.0.5", "")
    assert (state.exit_code == 7) is (state.phase is Phase.EXITED)
    assert state.was_out_of_memory


@pytest.mark.parametrize(
    "detail",
    [{"total_cache": 300, "total_inactive_file": 100, "cache": 300}, {"file": 350, "shmem": 50, "inactive_file": 100}],
    ids=["cgroup 1", "cgroup 2"],
)
def test_usage_leaves_the_page_cache_out(detail: dict[str, int]) -> None:
    stats = {
        "memory_stats": {"usage": 1000, "stats": detail},
        "cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000}},
    }
    assert bodies.usage(stats) == Usage(Bytes(700), 2.5)


def test_usage_of_one_that_does_not_run_is_nothing() -> None:
    assert bodies.usage({"memory_stats": {}, "cpu_stats": {"cpu_usage": {"total_usage": 0}}}) == Usage(Bytes(0), 0)


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("howdah/base:dev", ("howdah/base", "dev")),
        ("howdah/base", ("howdah/base", "latest")),
        ("registry:5000/base", ("registry:5000/base", "latest")),
        ("registry:5000/base:1", ("registry:5000/base", "1")),
    ],
)
def test_references_come_apart(reference: str, parts: tuple[str, str]) -> None:
    assert split(reference) == parts


def test_a_label_keeps_its_value() -> None:
    assert label_change("a", 'x "y" $z \\') == 'LABEL "a"="x \\"y\\" \\$z \\\\"'


def test_progress_is_lines_and_an_error_ends_it_with_the_last() -> None:
    messages: list[dict[str, Any]] = [
        {"stream": "Step 1/2 : FROM x\n"},
        {"status": "Downloading", "id": "abc", "progressDetail": {"current": 1}},
        {"status": "Pull complete", "id": "abc", "progressDetail": {}},
        {"stream": "two\nlines\n"},
        {"error": "it returned a non-zero code: 1", "errorDetail": {}},
    ]
    seen: list[str] = []
    with pytest.raises(Failed) as raised:
        seen.extend(progress_lines(messages))
    assert seen == ["Step 1/2 : FROM x", "abc: Pull complete", "two", "lines"]
    assert raised.value.what.splitlines() == ["it returned a non-zero code: 1", *seen]
