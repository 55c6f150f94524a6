"""Hosts for tests: each a network, mount and process namespace of this machine with a Docker Engine of its own.

A host is one process that holds its namespaces (``unshare``), and dies with the process that made it. When it ends, the
kernel ends everything in them: engine, containers, mounts, interfaces. So nothing has to be hunted down afterwards but
folders, and the bridge that the hosts meet on. Needs root, Linux, iproute2, util-linux and a dockerd.
"""

import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from howdah.errors import Failed

BRIDGE = "hk0"
"""What hosts meet on. This machine is ``.1`` on it."""
SUBNET = "10.90.0"
FIRST, LAST = 11, 250
START_SECONDS = 60.0
END_SECONDS = 20.0
_LOCK = Path("/run/lock/howdah-test-hosts")
_CGROUPS = Path("/sys/fs/cgroup")
_FOLDERS, _PREFIX = Path("/var/tmp"), "howdah-host-"


@dataclass(eq=False)
class EngineHost:
    """One host. Its containers' addresses are not reachable from here, only its engine's socket is."""

    name: str
    folder: Path
    address: str
    init: int
    """The process that holds the namespaces."""
    cgroup: str
    options: tuple[str, ...] = ()
    _engine: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def socket(self) -> Path:
        """Where the engine listens."""
        return self.folder / "docker.sock"

    @property
    def engine(self) -> str:
        """For DOCKER_HOST."""
        return f"unix://{self.socket}"

    @property
    def root(self) -> Path:
        """A folder for HOWDAH_ROOT, the same path on the host and here."""
        return self.folder / "root"

    def start_engine(self) -> None:
        """Start it, and wait until it answers; nothing where it runs. Raises Failed with the end of its log."""
        if self._engine and self._engine.poll() is None:
            return
        command = (
            "dockerd",
            f"--config-file={self.folder / 'daemon.json'}",
            f"--data-root={self.folder / 'data'}",
            "--exec-root=/run/docker",
            "--pidfile=/run/docker.pid",
            f"--host={self.engine}",
            f"--cgroup-parent={self.cgroup}",
            *self.options,
        )
        self.socket.unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._engine = subprocess.Popen(
                self._inside(*command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/"
            )
        wait_for(self._answers, f"the engine of test host {self.name}", START_SECONDS, self._tail)

    def kill_engine(self) -> None:
        """SIGKILL of dockerd alone. Its containers, and its containerd, go on until it is started again."""
        assert self._engine is not None, "the engine was not started"
        for pid in _children(self._engine.pid):  # nsenter waits for the one that it made
            os.kill(pid, signal.SIGKILL)
        self._engine.wait(END_SECONDS)

    def run(self, *argv: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a command on the host, as root. Raises Failed with what it said."""
        done = subprocess.run(
            self._inside(*argv), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise Failed(f"{' '.join(argv)} on test host {self.name}: {done.stderr.strip()}")
        return done

    def docker(self, *argv: str) -> str:
        """The docker command with this host's engine."""
        return _command("docker", "--host", self.engine, *argv)

    def load(self, *references: str, source: str) -> None:
        """Copy images from another engine."""
        with subprocess.Popen(("docker", "--host", source, "save", *references), stdout=subprocess.PIPE) as saved:
            assert saved.stdout is not None
            loading = ("docker", "--host", self.engine, "load", "--quiet")
            done = subprocess.run(loading, stdin=saved.stdout, capture_output=True, text=True, check=False)
        if saved.returncode or done.returncode:
            raise Failed(f"images {', '.join(references)} were not copied from {source}: {done.stderr.strip()}")

    def _inside(self, *argv: str) -> tuple[str, ...]:
        return ("nsenter", f"--target={self.init}", "--net", "--mount", "--pid", "--uts", *argv)

    def _answers(self) -> bool:
        if self._engine is None or self._engine.poll() is not None:
            raise Failed(f"the engine of test host {self.name} ended while starting:\n{self._tail()}")
        connection = http.client.HTTPConnection("localhost", timeout=5)
        with suppress(OSError, http.client.HTTPException, ValueError), socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(5)
            stream.connect(str(self.socket))
            connection.sock = stream
            connection.request("GET", "/version")
            return bool(json.loads(connection.getresponse().read())["Version"])
        return False

    def _tail(self) -> str:
        try:
            return "\n".join((self.folder / "log").read_text(errors="replace").splitlines()[-15:])
        except OSError:
            return "(no log)"


@contextmanager
def engine_host(name: str, *, options: tuple[str, ...] = (), starts: bool = True) -> Iterator[EngineHost]:
    """A host with an engine that answers; nothing of it is left afterwards. ``options`` are dockerd's.

    Raises Failed where the machine cannot have one.
    """
    missing = [tool for tool in ("dockerd", "docker", "ip", "iptables", "unshare", "nsenter") if not shutil.which(tool)]
    if os.geteuid() != 0 or missing:
        raise Failed(f"a test host needs root{f' and {chr(44).join(missing)}' if missing else ''}")
    with ExitStack() as stack:
        folder = stack.enter_context(_folder())
        (folder / "daemon.json").write_text("{}\n")
        (folder / "root").mkdir()
        cgroup = f"/{folder.name}"
        stack.callback(_remove_cgroups, cgroup)
        init = stack.enter_context(_namespaces(folder.name))
        number = stack.enter_context(_link(init))
        host = EngineHost(name, folder, f"{SUBNET}.{number}", init, cgroup, options)
        stack.callback(_end, host)
        host.run("hostname", name)
        if starts:
            host.start_engine()
        yield host


def wait_for(holds: Callable[[], bool], what: str, seconds: float, detail: Callable[[], str] = str) -> None:
    """Look until it holds. Raises Failed saying what was waited for."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise Failed(f"waited {seconds:g} s in vain for {what}\n{detail()}".rstrip())
        time.sleep(0.05)


@contextmanager
def _folder() -> Iterator[Path]:
    """One for a host's files, with a lock that its maker holds: those of makers that were killed are removed here."""
    with ExitStack() as stack:
        with _alone():
            for left in _FOLDERS.glob(f"{_PREFIX}*/lock"):
                with suppress(OSError), left.open("r+") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(left.parent)
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_FOLDERS))
            stack.callback(shutil.rmtree, folder)
            fcntl.flock(stack.enter_context((folder / "lock").open("w")), fcntl.LOCK_EX)
        folder.chmod(0o711)
        yield folder


@contextmanager
def _namespaces(word: str) -> Iterator[int]:
    """A process that holds new namespaces and ends with this one. ``word`` tells its command line from others."""
    # A shell that waits takes leave of orphans too: dockerd waits for a dead containerd that nobody has.
    hold = "mount -t tmpfs tmpfs /run && ip link set lo up && { sleep infinity & wait; }"
    command = (
        *("setpriv", "--pdeathsig", "KILL"),
        *("unshare", "--net", "--mount", "--pid", "--uts", "--fork", "--mount-proc", "--kill-child=KILL"),
        *("--propagation", "private", "sh", "-c", f"{hold} # {word}"),
    )
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/") as holder:
        try:

            def is_ready() -> bool:
                inner = _children(holder.pid)
                return bool(inner) and any(_name(child) == "sleep" for child in _children(inner[0]))

            wait_for(is_ready, "the namespaces of a test host", 10)
            init = _children(holder.pid)[0]
            yield init
        finally:
            for pid in _children(holder.pid):
                os.kill(pid, signal.SIGKILL)  # the kernel ends all the others in its namespace
            holder.wait(END_SECONDS)


@contextmanager
def _link(init: int) -> Iterator[int]:
    """Join the namespace to the bridge. Yields the last number of its address."""
    with _alone():
        if not _links("dev", BRIDGE):
            _command("ip", "link", "add", BRIDGE, "type", "bridge")
            _command("ip", "address", "add", f"{SUBNET}.1/24", "dev", BRIDGE)
            _command("ip", "link", "set", BRIDGE, "up")
            _command("iptables", "-I", "FORWARD", "-i", BRIDGE, "-o", BRIDGE, "-j", "ACCEPT")
        number = next(n for n in range(FIRST, LAST) if not _links("dev", f"hkv{n}"))
        end, inside = f"hkv{number}", ("nsenter", f"--target={init}", "--net")
        _command("ip", "link", "add", end, "master", BRIDGE, "type", "veth", "peer", "eth0", "netns", str(init))
    try:
        _command("ip", "link", "set", end, "up")
        _command(*inside, "ip", "address", "add", f"{SUBNET}.{number}/24", "dev", "eth0")
        _command(*inside, "ip", "link", "set", "eth0", "up")
        _command(*inside, "ip", "route", "add", "default", "via", f"{SUBNET}.1")
        yield number
    finally:
        with _alone():
            with suppress(Failed):  # it goes with the namespace too
                _command("ip", "link", "delete", end)
            if _links("dev", BRIDGE) and not _links("master", BRIDGE):
                _command("ip", "link", "delete", BRIDGE)
                _command("iptables", "-D", "FORWARD", "-i", BRIDGE, "-o", BRIDGE, "-j", "ACCEPT")


@contextmanager
def _alone() -> Iterator[None]:
    """One at a time, over all the processes that make test hosts."""
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _end(host: EngineHost) -> None:
    """Ask the engine to end, so that it ends its containers; the kernel ends what does not."""
    engine = host._engine
    if engine is None or engine.poll() is not None:
        return
    for pid in _children(engine.pid):
        os.kill(pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        engine.wait(END_SECONDS)


def _remove_cgroups(cgroup: str) -> None:
    """Of processes that are gone; the kernel lets go of them a moment later."""
    tops = [*_CGROUPS.glob(f"*{cgroup}"), *_CGROUPS.glob(cgroup.lstrip("/"))]

    def are_gone() -> bool:
        for top in tops:
            folders = [Path(above) for above, _, _ in os.walk(top)]
            for folder in reversed(folders):
                with suppress(OSError):
                    folder.rmdir()
        return not any(top.exists() for top in tops)

    wait_for(are_gone, f"the end of the processes in cgroup {cgroup}", END_SECONDS)


def _links(*which: str) -> str:
    """Interfaces of this network namespace. Not from /sys, which may show another one's."""
    try:
        return _command("ip", "-oneline", "link", "show", *which)
    except Failed:
        return ""


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _name(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def _command(*argv: str) -> str:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(argv)}: {done.stderr.strip()}")
    return done.stdout
