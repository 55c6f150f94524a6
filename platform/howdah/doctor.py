"""Is this machine all right for clusters, and what to do where it is not. Looks; changes nothing that stays."""

import ipaddress
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from howdah.clock import Clock
from howdah.clusters import MINIMUM_FREE
from howdah.coordination.records import Records
from howdah.definitions.loading import load
from howdah.errors import Failed, HowdahError
from howdah.imaging.catalogue import DEFAULT
from howdah.planning.network import POOL, choose_network
from howdah.planning.observed import LABEL_ROLE
from howdah.planning.placement import members
from howdah.ports.engine import Capacity, Engine, InstanceSpec, NetworkSpec, Phase
from howdah.ports.volumes import Volumes
from howdah.reconcile.ports import ImageSource
from howdah.units import Bytes

ROLE = "doctor"
"""The role label of what is made to look at, and removed."""
OLDEST_API = (1, 41)
"""Docker Engine 20.10."""
COMFORT = Bytes(4 * 2**30)
"""Memory that ``small`` really uses, with a job running."""
SKEW = 2.0
"""Seconds that two clocks may differ."""
MEMORY, PIDS, CPUS = Bytes(64 * 2**20), 64, 0.5
"""The limits of the container that looks: it reads back which of them are in force."""
SECONDS = 30.0

PROGRAM = """
import json, os, socket, sys, time
def read(*paths):
    for path in paths:
        try:
            with open("/sys/fs/cgroup/" + path) as file: return file.read().strip()
        except OSError: pass
    return ""
def attempt(question):
    try: return question()
    except OSError as error: return "failed: %s" % error
alias = sys.argv[1]
forward = attempt(lambda: socket.gethostbyname(alias))
name = forward if forward.startswith("failed") else attempt(lambda: socket.gethostbyaddr(forward)[0])
back = name if name.startswith("failed") else attempt(lambda: socket.gethostbyname(name))
with open("/proc/meminfo") as file: meminfo = dict(line.split(":") for line in file)
print(json.dumps({
    "time": time.time(), "forward": forward, "name": name, "back": back,
    "available": int(meminfo["MemAvailable"].split()[0]) * 1024,
    "memory": read("memory.max", "memory/memory.limit_in_bytes"),
    "pids": read("pids.max", "pids/pids.max"),
    "cpus": read("cpu.max", "cpu/cpu.cfs_quota_us"),
}))
"""


class Verdict(StrEnum):
    """What a check came to. A note is nothing to do anything about; unknown says that it was not looked at."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; ``fix`` where there is something to be done."""

    check: str
    verdict: Verdict
    text: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Inside:
    """What a container found from where it stands. Addresses and names begin with ``failed`` where a lookup failed."""

    time: float
    forward: str
    name: str
    back: str
    available: Bytes
    memory: str
    pids: str
    cpus: str
    before: datetime
    after: datetime


@dataclass
class Bench:
    """What the checks look at. What several of them need is read once."""

    engine: Engine
    address: str
    volumes: Volumes
    images: ImageSource
    clock: Clock
    records: Callable[[], Records | None]

    @cached_property
    def capacity(self) -> Capacity:
        """What the host has."""
        return self.engine.capacity()

    @cached_property
    def has_base(self) -> bool:
        """Whether there is an image to look from."""
        return self.engine.image(self.images.helper()) is not None

    @cached_property
    def inside(self) -> Inside:
        """What a container sees. Raises what the engine raises, and Failed where it says nothing sensible."""
        with _network(self.engine) as network:
            token = secrets.token_hex(4)
            alias = f"probe-{token}.doctor.howdah"
            spec = InstanceSpec(
                name=f"howdah-doctor-{token}",
                image=self.images.helper(),
                command=("python3", "-I", "-S", "-E", "-c", PROGRAM, alias),
                hostname="doctor",
                network=network,
                labels={LABEL_ROLE: ROLE},
                memory=MEMORY,
                aliases=(alias,),
                cpus=CPUS,
                pids=PIDS,
            )
            before = self.clock.now()
            result = self.engine.run_once(spec, SECONDS)
            return _read(result.stdout, result.stderr, before, self.clock.now())


Check = Callable[[Bench], Finding]


def examine(bench: Bench, tell: Callable[[str], None]) -> Iterator[Finding]:
    """Every finding, in order; ``tell`` is told which check is under way. What one needs in vain is not looked at."""
    failed: set[str] = set()
    for name, (check, needs) in CHECKS.items():
        tell(name)
        if missing := failed.intersection(needs):
            finding = Finding(name, Verdict.UNKNOWN, f"not looked at without {', '.join(sorted(missing))}")
        elif "base image" in needs and not bench.has_base:
            text = "not looked at: the base image is not there"
            finding = Finding(name, Verdict.UNKNOWN, text, "howdah image build base")
        else:
            finding = _attempt(name, check, bench)
        if finding.verdict in (Verdict.BAD, Verdict.UNKNOWN):
            failed.add(name)
        yield finding


def engine(bench: Bench) -> Finding:
    """Does it answer?"""
    found = bench.capacity
    text = f"Docker {found.engine_version} at {bench.address}, {found.cpus} CPUs, {found.operating_system}"
    return Finding("engine", Verdict.GOOD, text)


def version(bench: Bench) -> Finding:
    """Is it new enough?"""
    api = bench.capacity.api_version
    if tuple(int(part) for part in api.split(".")) < OLDEST_API:
        return Finding("version", Verdict.BAD, f"API {api}; 1.41 is needed", "install Docker Engine 20.10 or later")
    return Finding("version", Verdict.GOOD, f"API {api}; 1.41 is needed")


def limits(bench: Bench) -> Finding:
    """Are limits in force?"""
    inside, group = bench.inside, bench.capacity.cgroup
    wanted = {"memory": (inside.memory, str(int(MEMORY))), "pids": (inside.pids, str(PIDS))}
    lacking = [name for name, (found, limit) in wanted.items() if found != limit]
    if inside.cpus.split(" ")[0] in ("", "max", "-1"):
        lacking.append("CPU")
    if lacking:
        text = f"cgroup v{group} does not enforce limits of {', '.join(lacking)}"
        return Finding("limits", Verdict.BAD, text, "enable these cgroup controllers for the engine, then restart it")
    return Finding("limits", Verdict.GOOD, f"cgroup v{group} enforces limits of memory, CPU and pids")


def memory(bench: Bench) -> Finding:
    """Is there enough for ``small``?"""
    total = bench.capacity.memory
    small = Bytes(sum(group.memory for _, _, _, group in members(load("small").definition)))
    available = bench.inside.available
    text = f"{available} of {total} free; `small` uses about {COMFORT} and has limits of {small} in all"
    if available < COMFORT:
        return Finding("memory", Verdict.BAD, text, "end other programs or clusters, or use a larger machine")
    if total < small:
        return Finding("memory", Verdict.NOTE, text, "launch `single`, or a definition with lower limits")
    return Finding("memory", Verdict.GOOD, text)


def disk(bench: Bench) -> Finding:
    """Is there room for volumes?"""
    free = bench.volumes.survey().free
    if free is None:
        return Finding("disk", Verdict.UNKNOWN, f"what is free in {bench.volumes.layout.root} is not known")
    text = f"{free} free in {bench.volumes.layout.root}; {MINIMUM_FREE} are needed"
    if free < MINIMUM_FREE:
        return Finding("disk", Verdict.BAD, text, "make room, or name another folder in HOWDAH_ROOT")
    return Finding("disk", Verdict.GOOD, text)


def names(bench: Bench) -> Finding:
    """Do containers find one another by name, both ways?"""
    inside = bench.inside
    fix = "restart the engine; look for a firewall between containers and the engine's DNS (127.0.0.11)"
    if inside.forward.startswith("failed"):
        return Finding(
            "names", Verdict.BAD, f"the engine's DNS does not know a container's alias: {inside.forward}", fix
        )
    if inside.name.startswith("failed"):
        return Finding("names", Verdict.BAD, f"{inside.forward} has no name: {inside.name}", fix)
    if inside.back != inside.forward:
        text = f"{inside.forward} is {inside.name}, which is {inside.back}"
        return Finding("names", Verdict.BAD, text, fix)
    return Finding("names", Verdict.GOOD, "a container's name and address lead to one another")


def clock(bench: Bench) -> Finding:
    """Do the engine's host and this machine agree on the time?"""
    inside = bench.inside
    ahead, behind = inside.time - inside.after.timestamp(), inside.before.timestamp() - inside.time
    skew = max(ahead, behind, 0.0)
    if skew > SKEW:
        word = "ahead of" if ahead > behind else "behind"
        text = f"the engine's clock is {skew:.0f} s {word} this machine's"
        return Finding("clock", Verdict.BAD, text, "have both synchronised (chrony, systemd-timesyncd)")
    return Finding("clock", Verdict.GOOD, f"the engine's clock and this machine's differ by less than {SKEW:.0f} s")


def subnets(bench: Bench) -> Finding:
    """Is there a network left for another cluster?"""
    taken = [ipaddress.ip_network(text, strict=False) for found in bench.engine.networks() for text in found.subnets]
    every = list(POOL.subnets(new_prefix=24))
    free = sum(not any(subnet.overlaps(other) for other in taken if other.version == 4) for subnet in every)
    text = f"{free} of {len(every)} networks of {POOL} are free"
    if not free:
        return Finding("subnets", Verdict.BAD, text, "delete clusters that are not needed")
    return Finding("subnets", Verdict.GOOD, text)


def images(bench: Bench) -> Finding:
    """Is what clusters are made of there?"""
    references = bench.images.references(DEFAULT.hadoop, DEFAULT.spark)
    wanted = {"base": bench.images.helper(), "hadoop": references.hadoop, "spark": references.spark}
    missing = [kind for kind, reference in wanted.items() if bench.engine.image(reference) is None]
    if missing:
        text = f"not there yet: {', '.join(missing)}; the first launch makes what it needs, which takes minutes"
        return Finding("images", Verdict.NOTE, text, "howdah image build, to have them ahead")
    return Finding("images", Verdict.GOOD, f"there, for {DEFAULT}")


def registry(bench: Bench) -> Finding:
    """Can the records be read?"""
    records = bench.records()
    if records is None:
        return Finding("registry", Verdict.NOTE, "none yet; the first launch starts it")
    clusters, data_sets = len(records.clusters()), len(records.data_sets())
    return Finding("registry", Verdict.GOOD, f"answers; clusters on record: {clusters}, data sets: {data_sets}")


CHECKS: Mapping[str, tuple[Check, tuple[str, ...]]] = {
    "engine": (engine, ()),
    "version": (version, ("engine",)),
    "images": (images, ("engine",)),
    "registry": (registry, ("engine",)),
    "subnets": (subnets, ("engine",)),
    "disk": (disk, ("engine", "base image")),
    "limits": (limits, ("engine", "base image")),
    "memory": (memory, ("engine", "base image")),
    "names": (names, ("engine", "base image")),
    "clock": (clock, ("engine", "base image")),
}
"""Each with what it cannot do without. ``base image`` is no check: it is there or not."""


def _attempt(name: str, check: Check, bench: Bench) -> Finding:
    try:
        return check(bench)
    except HowdahError as error:
        return Finding(name, Verdict.BAD, error.what, error.fix)


@contextmanager
def _network(engine: Engine) -> Iterator[str]:
    """A network for one look; also takes away what a look that was killed has left."""
    for container in engine.list({LABEL_ROLE: ROLE}):
        if container.phase is not Phase.RUNNING:
            engine.remove(container.name)
    for left in engine.networks():
        if left.labels.get(LABEL_ROLE) == ROLE:
            with suppress(Failed):  # another doctor is at work on it
                engine.remove_network(left.name)
    taken = [subnet for found in engine.networks() for subnet in found.subnets]
    chosen = choose_network(f"howdah-doctor-{secrets.token_hex(4)}", taken)
    spec = NetworkSpec(chosen.name, chosen.subnet, chosen.gateway, chosen.dynamic_range, {LABEL_ROLE: ROLE})
    engine.ensure_network(spec)
    try:
        yield chosen.name
    finally:
        engine.remove_network(chosen.name)


def _read(stdout: bytes, stderr: bytes, before: datetime, after: datetime) -> Inside:
    try:
        found = json.loads(stdout)
        return Inside(
            time=float(found["time"]),
            forward=str(found["forward"]),
            name=str(found["name"]),
            back=str(found["back"]),
            available=Bytes(found["available"]),
            memory=str(found["memory"]),
            pids=str(found["pids"]),
            cpus=str(found["cpus"]),
            before=before,
            after=after,
        )
    except (ValueError, KeyError, TypeError):
        said = (stderr or stdout).decode(errors="replace").strip()[-300:]
        raise Failed(f"a container that was to look around gave no answer: {said or 'nothing at all'}") from None
