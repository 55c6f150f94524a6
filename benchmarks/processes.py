"""The daemons of ``small`` as bare processes: the same software, configuration and flags, without an engine.

The image's files are unpacked and entered with chroot. Each process sees its own configuration and folders by mounts of
its own, and has its own address on a bridge, so that the configuration is the containers' to the letter. Needs root.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.subject import DAEMONS
from howdah.client import Client
from howdah.hadoop import commands, layout
from howdah.hadoop.bundles import bundle
from howdah.imaging.catalogue import DEFAULT, Kind
from howdah.model.cluster import Desired, Instance

UID = 10001
READY = """
import json, sys, time, urllib.request

def ask(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return None

def ready():
    found = ask("http://%s:9870/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState" % sys.argv[1])
    beans = found and found["beans"]
    if not beans or beans[0]["NumLiveDataNodes"] < 2 or beans[0]["FSState"] != "Operational":
        return False
    found = ask("http://%s:8088/ws/v1/cluster/metrics" % sys.argv[2])
    return bool(found) and found["clusterMetrics"]["activeNodes"] >= 2

def listens():
    places = ("%s:9870" % sys.argv[1], "%s:8088" % sys.argv[2])
    return all(ask("http://%s/jmx?qry=none" % place) is not None for place in places)

until = time.monotonic() + 180
while not {"ready": ready, "listens": listens}[sys.argv[3]]():
    if time.monotonic() > until:
        sys.exit("not so after 180 s: %s" % sys.argv[3])
    time.sleep(0.1)
"""


@dataclass
class Processes:
    """The daemons while they run. ``holder`` is the process that holds their namespaces."""

    desired: Desired
    folder: Path
    holder: int
    variables: Mapping[str, str]
    seconds: float = 0.0

    @property
    def root(self) -> Path:
        """Where the image's files are."""
        return self.folder / "root"

    def instance(self, name: str) -> Instance:
        """By its name."""
        found = self.desired.instance(name)
        assert found is not None, name
        return found

    def command(self, instance: Instance, argv: tuple[str, ...]) -> tuple[str, ...]:
        """A command as it runs in the instance's place."""
        own = self.folder / instance.name
        variables = {**self.variables, **commands.environment(self.desired, instance)}
        places = {
            "static": layout.CONFIGURATION,
            "live": layout.LIVE,
            "data": layout.DATA,
            "scratch": layout.SCRATCH,
        }
        lines = [f"hostname {instance.host_name}", f"mount -t tmpfs tmpfs {self.root}/tmp"]
        lines += [f"mount --bind {own / name} {self.root}{place}" for name, place in places.items()]
        # Clients ask the system for names, as daemons do not.
        lines.append(f"mount --bind {own / 'live' / 'hosts'} {self.root}/etc/hosts")
        settings = shlex.join(f"{key}={value}" for key, value in variables.items())
        lines.append(f"exec chroot --userspec={UID}:{UID} {self.root} env -i {settings} {shlex.join(argv)}")
        inside = ("nsenter", f"--target={self.holder}", "--pid", "--mount")
        return (
            *inside,
            "nsenter",
            f"--net=/run/netns/{instance.name}",
            "unshare",
            "--mount",
            "--uts",
            "sh",
            "-euc",
            "\n".join(lines),
        )

    def run(self, name: str, *argv: str) -> float:
        """How long a command took in an instance's place; it must end well."""
        begun = time.monotonic()
        _checked(self.command(self.instance(name), argv))
        return time.monotonic() - begun

    def start(self, name: str) -> None:
        """Start a daemon; it goes with the namespaces."""
        instance = self.instance(name)
        with (self.folder / f"{name}.log").open("wb") as log:
            argv = self.command(instance, commands.command(self.desired, instance))
            subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait(self, what: str) -> None:
        """Until the daemons listen, or are ready."""
        addresses = [self.instance(name).assignment.address for name in ("nn1", "rm1")]
        _checked(("nsenter", f"--target={self.holder}", "--net", sys.executable, "-c", READY, *addresses, what))

    def memory(self) -> int:
        """Bytes of memory of the six daemons that is backed by no file."""
        space = os.readlink(f"/proc/{self.holder}/ns/pid_for_children")
        total = 0
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(process / "ns/pid") == space and (process / "comm").read_text() == "java\n":
                    total += anonymous((process / "smaps_rollup").read_text())
            except OSError:
                continue  # it has ended
        return total


def anonymous(rollup: str) -> int:
    """Bytes, from a process's ``smaps_rollup``."""
    found = re.search(r"^Anonymous: +([0-9]+) kB$", rollup, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


@contextmanager
def bare(client: Client) -> Iterator[Processes]:
    """The daemons from nothing to ready; nothing is left of them."""
    if os.geteuid() != 0:
        raise SystemExit("bare processes need root: they are given namespaces and a root of their own")
    desired = client.plan("small", name="bench-bare").desired
    image = client.installation.images.builder(DEFAULT).reference(Kind.HADOOP)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="howdah-bare-", dir="/var/tmp"))
        stack.callback(shutil.rmtree, folder)
        folder.chmod(0o755)
        variables = _unpack(image, folder / "root")
        for instance in desired.instances:
            _write(desired, instance, folder / instance.name)
        processes = Processes(desired, folder, _hold(stack, desired, folder / "root"), variables)
        begun = time.monotonic()
        _start(processes)
        processes.seconds = time.monotonic() - begun
        yield processes


def _start(processes: Processes) -> None:
    """In the order that is quickest: what a daemon would wait for comes before it."""
    processes.start("rm1")
    namenode = processes.instance("nn1")
    _checked(processes.command(namenode, commands.format_command(processes.desired, namenode, "CID-bench")))
    processes.start("nn1")
    processes.wait("listens")
    for name in DAEMONS:
        if name not in ("nn1", "rm1"):
            processes.start(name)
    processes.wait("ready")


def _unpack(image: str, root: Path) -> dict[str, str]:
    """The image's files; returns its environment."""
    root.mkdir()
    container = _checked(("docker", "create", image, "true")).strip()
    try:
        with subprocess.Popen(("docker", "export", container), stdout=subprocess.PIPE) as exported:
            subprocess.run(("tar", "-C", str(root), "-xf", "-"), stdin=exported.stdout, check=True)
    finally:
        _checked(("docker", "rm", container))
    for place in (layout.CONFIGURATION, layout.LIVE, layout.DATA, layout.SCRATCH):
        (root / place.removeprefix("/")).mkdir(parents=True, exist_ok=True)
    (root / "etc/hosts").touch()
    found: list[str] = json.loads(_checked(("docker", "inspect", "--format", "{{json .Config.Env}}", image)))
    return dict(variable.split("=", 1) for variable in found)


def _write(desired: Desired, instance: Instance, own: Path) -> None:
    made = bundle(desired, instance)
    for name, files in (("static", made.static), ("live", made.live)):
        (own / name).mkdir(parents=True)
        for file, text in files.items():
            (own / name / file).write_text(text)
    for name in ("data", "scratch"):
        (own / name).mkdir()
        os.chown(own / name, UID, UID)


def network(desired: Desired) -> list[str]:
    """The commands that give every instance a network of its own, all of them on one bridge, as an engine does it."""
    gateway = f"{desired.cluster.network.gateway}/24"
    lines = ["ip link add bridge type bridge", f"ip address add {gateway} dev bridge", "ip link set bridge up"]
    lines += ["mkdir -p /run/netns", "mount -t tmpfs tmpfs /run/netns"]
    for instance in desired.instances:
        name, address = instance.name, instance.assignment.address
        lines += [
            f"ip netns add {name}",
            f"ip link add to-{name} type veth peer name eth0 netns {name}",
            f"ip link set to-{name} master bridge up",
            f"ip -n {name} link set lo up",
        ]
        if address:
            lines += [f"ip -n {name} address add {address}/24 dev eth0", f"ip -n {name} link set eth0 up"]
    return lines


def _hold(stack: ExitStack, desired: Desired, root: Path) -> int:
    """Namespaces whose processes end with this one; returns the pid of their holder."""
    lines = [f"mount --rbind /dev {root}/dev", f"mount -t proc proc {root}/proc", *network(desired)]
    script = "\n".join([*lines, "echo up", "exec sleep infinity"])
    unshare = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", script)
    holder = stack.enter_context(subprocess.Popen(unshare, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE))
    stack.callback(holder.kill)
    assert holder.stdout is not None
    if holder.stdout.readline() != b"up\n":
        raise SystemExit("no namespaces for bare processes: root, iproute2 and util-linux are needed")
    return int(Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()[0])


def _checked(argv: tuple[str, ...]) -> str:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)[:300]}: {done.stderr[-3000:]}")
    return done.stdout
