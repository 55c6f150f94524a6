"""What is sent to the engine to make a container, and what it says of one. Pure: JSON in and out.

Names are those of the Engine API, "Create a container" and "Inspect a container".
"""

from collections.abc import Mapping
from typing import Any

from howdah.ports.engine import InstanceSpec, InstanceState, Phase, Usage
from howdah.units import Bytes

NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time: the engine's word for "not yet"."""
PHASES: Mapping[str, Phase] = {
    "created": Phase.CREATED,
    "running": Phase.RUNNING,
    "restarting": Phase.RUNNING,
    "paused": Phase.PAUSED,
    "removing": Phase.EXITED,
    "exited": Phase.EXITED,
    "dead": Phase.EXITED,
}
HELPER_CAPABILITIES = (
    "CHOWN",  # gives a new volume's folder to the containers' user
    "DAC_OVERRIDE",  # reads, measures and deletes below folders of that user with mode 0700
    "FOWNER",  # sets modes and times on files that the containers' user owns
)
HELPER_SECONDS = 600


def instance_body(spec: InstanceSpec) -> dict[str, Any]:
    """A container of a cluster. ENTRYPOINT stays the image's."""
    host: dict[str, Any] = {
        **_confinement(pids=spec.pids, memory=spec.memory),
        # The images have the native code that JVMs otherwise unpack there: leveldbjni, snappy-java, zstd-jni, netty.
        "Tmpfs": {"/tmp": f"rw,noexec,nosuid,nodev,mode=1777,size={int(spec.tmp_size)}"},
        "NetworkMode": spec.network or "none",
        "Mounts": [
            # Type bind, for its missing source is an error; in the Binds form it would be created.
            {"Type": "bind", "Source": mount.source, "Target": mount.target, "ReadOnly": mount.is_read_only}
            for mount in spec.mounts
        ],
    }
    if spec.cpus:
        host["NanoCpus"] = int(spec.cpus * 1e9)
    body: dict[str, Any] = {
        "Image": spec.image,
        "Cmd": list(spec.command),
        "Hostname": spec.hostname,
        "User": spec.user,
        "Env": [f"{key}={value}" for key, value in sorted(spec.environment.items())],
        "Labels": dict(spec.labels),
        "StopTimeout": spec.stop_timeout,
        "HostConfig": host,
    }
    if spec.network:
        endpoint: dict[str, Any] = {"Aliases": list(dict.fromkeys([*spec.aliases, spec.hostname]))}
        if spec.address:
            endpoint["IPAMConfig"] = {"IPv4Address": spec.address}
        body["NetworkingConfig"] = {"EndpointsConfig": {spec.network: endpoint}}
    return body


def helper_body(image: str, root: str, label: str) -> dict[str, Any]:
    """The container that does root's work on the host: idle, without a network, gone after ten minutes."""
    return {
        "Image": image,
        "Entrypoint": ["sleep"],
        "Cmd": [str(HELPER_SECONDS)],
        "User": "0:0",
        "Labels": {label: root},
        "HostConfig": {
            **_confinement(pids=64, memory=Bytes(512 * 2**20)),
            "CapAdd": list(HELPER_CAPABILITIES),
            "AutoRemove": True,
            "NetworkMode": "none",
            # The one place for the classic form: a host's volume root is created the first time it is used.
            "Binds": [f"{root}:{root}"],
        },
    }


def instance_state(found: Mapping[str, Any]) -> InstanceState:
    """A container as ``inspect`` shows it."""
    state = found["State"]
    phase = PHASES.get(state["Status"], Phase.EXITED)
    return InstanceState(
        name=container_name(found),
        phase=phase,
        labels=dict(found["Config"].get("Labels") or {}),
        image=found["Config"].get("Image", ""),
        address=address(found),
        started_at="" if state.get("StartedAt", NEVER) == NEVER else state["StartedAt"],
        exit_code=state.get("ExitCode") if phase is Phase.EXITED else None,
        was_out_of_memory=bool(state.get("OOMKilled")),
    )


def container_name(found: Mapping[str, Any]) -> str:
    """Its name, without the engine's slash."""
    return str(found["Name"]).lstrip("/")


def address(found: Mapping[str, Any]) -> str:
    """Its address: the one it has, else the fixed one that it will have when it runs again."""
    for endpoint in (found.get("NetworkSettings", {}).get("Networks") or {}).values():
        fixed = (endpoint.get("IPAMConfig") or {}).get("IPv4Address", "")
        if endpoint.get("IPAddress") or fixed:
            return str(endpoint.get("IPAddress") or fixed)
    return ""


def usage(stats: Mapping[str, Any]) -> Usage:
    """Memory less the page cache: ``total_cache`` in cgroup v1, ``file`` in v2. What is in a tmpfs counts in v2."""
    memory = stats.get("memory_stats") or {}
    detail = memory.get("stats") or {}
    if "total_cache" in detail:
        cache = detail["total_cache"] - detail.get("total_shmem", 0)
    else:
        cache = detail.get("file", 0) - detail.get("shmem", 0)
    used = max(0, memory.get("usage", 0) - max(0, cache))
    nanoseconds = (stats.get("cpu_stats") or {}).get("cpu_usage", {}).get("total_usage", 0)
    return Usage(Bytes(used), nanoseconds / 1e9)


def _confinement(pids: int, memory: Bytes) -> dict[str, Any]:
    """What holds for every container we make."""
    return {
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "ReadonlyRootfs": True,
        "PidsLimit": pids,
        "Memory": int(memory),
        "MemorySwap": int(memory),  # the same number: no swap
        "RestartPolicy": {"Name": "no"},
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
        "Init": True,  # a JVM as process 1 does not reap the orphans of a NodeManager's tasks
    }
