"""A Docker Engine started by hand, where no service manager does it; and which engine a client would talk to.

Standard library only: `script/bootstrap` calls this before there is an environment.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

DEFAULT_SOCKET = "/var/run/docker.sock"
# sockaddr_un holds 108 bytes; the longest socket below the root is exec/libnetwork/<12 letters>.sock.
LONGEST_ROOT = 108 - len("/exec/libnetwork/0123456789ab.sock") - 1
START_SECONDS = float(os.environ.get("HOWDAH_ENGINE_TIMEOUT", "60"))
STOP_SECONDS = 90.0


class EngineError(Exception):
    """Something a person has to do; shown without a traceback."""


# ------------------------------------------------------------------------------------ which engine


@dataclass(frozen=True)
class Address:
    """Where a client would find its engine, and what told it so."""

    url: str
    source: str
    certificates: str | None = None


def client_address() -> Address:
    """DOCKER_HOST, else the current docker context's, else the default socket: docker's own order."""
    if url := os.environ.get("DOCKER_HOST"):
        verify = bool(os.environ.get("DOCKER_TLS_VERIFY"))
        certificates = os.environ.get("DOCKER_CERT_PATH", str(_docker_home())) if verify else None
        return Address(url, "DOCKER_HOST", certificates)
    name = os.environ.get("DOCKER_CONTEXT") or _configured_context()
    if name and name != "default":
        digest = hashlib.sha256(name.encode()).hexdigest()
        meta = _docker_home() / "contexts" / "meta" / digest / "meta.json"
        try:
            url = json.loads(meta.read_text())["Endpoints"]["docker"]["Host"]
        except (OSError, ValueError, KeyError) as error:
            raise EngineError(
                f"the docker context {name!r} is chosen but cannot be read ({error}): "
                "choose one that exists (docker context use NAME), or set DOCKER_HOST"
            ) from error
        tls = _docker_home() / "contexts" / "tls" / digest / "docker"
        return Address(str(url), f"docker context {name}", str(tls) if tls.is_dir() else None)
    return Address(f"unix://{DEFAULT_SOCKET}", "the default socket")


def _docker_home() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or Path(os.environ.get("HOME", "/root")) / ".docker")


def _configured_context() -> str | None:
    try:
        return str(json.loads((_docker_home() / "config.json").read_text()).get("currentContext") or "") or None
    except (OSError, ValueError):
        return None


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def engine_version(address: Address, timeout: float = 5.0) -> str | None:
    """The version of the engine that answers there, or None where none does."""
    parts = urlsplit(address.url)
    if parts.scheme not in {"unix", "tcp", "http", "https"}:
        return _version_by_docker(timeout)
    try:
        connection = _connection(parts.scheme, address, timeout)
        connection.request("GET", "/version")
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return str(json.loads(body)["Version"]) if response.status == http.client.OK else None
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return None


def _connection(scheme: str, address: Address, timeout: float) -> http.client.HTTPConnection:
    parts = urlsplit(address.url)
    if scheme == "unix":
        return _UnixConnection(parts.path, timeout)
    host, port = parts.hostname or "localhost", parts.port or (2376 if address.certificates else 2375)
    if scheme == "https" or address.certificates:
        context = ssl.create_default_context()
        if address.certificates:
            folder = Path(address.certificates)
            context.load_verify_locations(str(folder / "ca.pem"))
            context.load_cert_chain(str(folder / "cert.pem"), str(folder / "key.pem"))
        return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    return http.client.HTTPConnection(host, port, timeout=timeout)


def _version_by_docker(timeout: float) -> str | None:
    # ssh:// and the like: only the docker command knows how to get there.
    if not (docker := shutil.which("docker")):
        return None
    command = [docker, "version", "--format", "{{.Server.Version}}"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=timeout * 3, check=False)
    except subprocess.TimeoutExpired:
        return None
    return (answer.stdout.strip() or None) if answer.returncode == 0 else None


# ---------------------------------------------------------------------------------- our own engine


@dataclass(frozen=True)
class Record:
    """Which process is ours. The start time and the boot make the number of a process unique."""

    pid: int
    start_time: int
    boot: str
    socket: str


class OwnEngine:
    """The engine below one root folder: its data, run-time state, log, and the record of its process."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pidfile = root / "pid"
        self.log = root / "log"
        self._record = root / "engine.json"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One start or stop at a time. Python does not pass the descriptor on to dockerd."""
        self.root.mkdir(mode=0o711, parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def running(self) -> Record | None:
        """The record of our dockerd if that very process is alive."""
        try:
            record = Record(**json.loads(self._record.read_text()))
        except (OSError, ValueError, TypeError):
            return self._adopted()
        alive = record.boot == _boot() and _is_dockerd(record.pid) and _start_time(record.pid) == record.start_time
        return record if alive else self._adopted()

    def _recorded(self) -> Record | None:
        try:
            return Record(**json.loads(self._record.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def _adopted(self) -> Record | None:
        # Killed between starting dockerd and writing the record: its own command line still says whose it is.
        for pid in _processes():
            arguments = _arguments(pid)
            if _is_dockerd(pid) and f"--pidfile={self.pidfile}" in arguments:
                started = _start_time(pid)
                listener = next((a for a in arguments if a.startswith("--host=unix://")), None)
                if started is not None and listener:
                    return Record(pid, started, _boot(), listener.removeprefix("--host=unix://"))
        return None

    def start(self) -> None:
        """Start it unless it runs, and wait until it answers."""
        began = time.monotonic()
        if os.geteuid() != 0:
            raise EngineError("dockerd needs root: run this as root, or set DOCKER_HOST to an engine that you may use")
        dockerd = shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if not dockerd:
            raise EngineError("there is no dockerd on this machine: apt-get install docker.io (script/bootstrap does)")
        if len(str(self.root)) > LONGEST_ROOT:
            raise EngineError(
                f"HOWDAH_ENGINE_ROOT is {len(str(self.root))} characters long, and Unix sockets below it "
                f"allow {LONGEST_ROOT}: choose a shorter one"
            )
        with self.locked():
            record = self.running()
            if record:
                print(f"engine: already running (pid {record.pid})")
            else:
                _refuse_beside_another()
                record = self._spawn(dockerd)
            self._record.write_text(json.dumps(asdict(record)))
            version = self._await(record)
        print(f"engine: Engine {version} answers on unix://{record.socket} ({time.monotonic() - began:.1f} s)")
        if record.socket != DEFAULT_SOCKET:
            print(f"engine: that is not the default socket: export DOCKER_HOST=unix://{record.socket}")

    def _spawn(self, dockerd: str) -> Record:
        listener = DEFAULT_SOCKET if not _listens(DEFAULT_SOCKET) else str(self.root / "docker.sock")
        # After a hard end, dockerd would wait in vain for a containerd that only its pid file still knows.
        self._clean_up(None)
        if self.log.exists():
            self.log.replace(self.log.with_name("log.before"))
        # The machine's own daemon.json belongs to another engine, and clashes with these options.
        (self.root / "daemon.json").write_text("{}\n")
        command = [
            dockerd,
            f"--config-file={self.root / 'daemon.json'}",
            f"--data-root={self.root / 'data'}",
            f"--exec-root={self.root / 'exec'}",
            f"--pidfile={self.pidfile}",
            f"--host=unix://{listener}",
        ]
        with self.log.open("ab") as log:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
            )
        started = _start_time(child.pid)
        if started is None:
            raise EngineError(f"dockerd ended at once.\n{self._tail()}")
        return Record(child.pid, started, _boot(), listener)

    def _await(self, record: Record) -> str:
        address = Address(f"unix://{record.socket}", "")
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(record.pid, os.WNOHANG)  # a dead child of ours would look alive until it is collected
            if _start_time(record.pid) != record.start_time:
                self._clean_up(record)
                raise EngineError(f"dockerd ended while starting; the end of {self.log}:\n{self._tail()}")
            if version := engine_version(address, timeout=2):
                return version
            time.sleep(0.1)
        raise EngineError(
            f"dockerd (pid {record.pid}) does not answer on {record.socket} after {START_SECONDS:.0f} s. "
            f"It was left running: see {self.log}, then script/engine stop. The end of it:\n{self._tail()}"
        )

    def _tail(self, lines: int = 25) -> str:
        try:
            text = self.log.read_text(errors="replace")
        except OSError as error:
            return f"    (no log: {error})"
        return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])

    def stop(self) -> None:
        """End exactly that dockerd, with its containers, and clean up what a hard end leaves."""
        began = time.monotonic()
        if not self.root.exists():
            print("engine: not running")
            return
        with self.locked():
            record = self.running()
            if not record:
                print("engine: not running")
                self._clean_up(self._recorded())
                return
            _end(record.pid, record.start_time, signal.SIGTERM, STOP_SECONDS)
            if _start_time(record.pid) == record.start_time:
                print(
                    f"engine: pid {record.pid} did not end in {STOP_SECONDS:.0f} s and is killed",
                    file=sys.stderr,
                )
                _end(record.pid, record.start_time, signal.SIGKILL, 10)
            self._clean_up(record)
        print(f"engine: stopped pid {record.pid} ({time.monotonic() - began:.1f} s)")

    def _clean_up(self, record: Record | None) -> None:
        for pid in self._leftover_processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        mounts = [*_mounts_below(self.root / "exec"), *_mounts_below(self.root / "data")]
        if (self.root / "exec" / "unmount-on-shutdown").exists():  # dockerd's own note that it bound its data root
            mounts.append(self.root / "data")
        for mount in mounts:
            subprocess.run(["umount", "--lazy", str(mount)], check=False, capture_output=True)
        self.pidfile.unlink(missing_ok=True)
        (self.root / "exec" / "containerd" / "containerd.pid").unlink(missing_ok=True)
        if record and Path(record.socket).is_socket() and not _listens(record.socket):
            Path(record.socket).unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)

    def _leftover_processes(self) -> list[int]:
        """Processes of containerd that name our folder, after the containers that its shims hold."""
        parents = [
            pid
            for pid in _processes()
            if _executable(pid).startswith("containerd") and any(f"{self.root}/exec/" in a for a in _arguments(pid))
        ]
        return [pid for pid in _processes() if _parent(pid) in parents and pid not in parents] + parents

    def status(self) -> int:
        """Say how it is. 0 answers, 1 runs and does not answer, 3 does not run: as service managers do."""
        if not (record := self.running()):
            print(f"engine: not running (its data: {self.root})")
            return 3
        version = engine_version(Address(f"unix://{record.socket}", ""))
        says = f"Engine {version} answers" if version else "does NOT answer"
        print(f"engine: pid {record.pid}, unix://{record.socket}, {says}, data in {self.root}, log {self.log}")
        return 0 if version else 1


def _refuse_beside_another() -> None:
    """Two engines in one network namespace delete one another's firewall chains and share docker0."""
    ours = os.readlink("/proc/self/ns/net")
    for pid in _processes():
        with contextlib.suppress(OSError):
            if _is_dockerd(pid) and os.readlink(f"/proc/{pid}/ns/net") == ours:
                raise EngineError(
                    f"another dockerd (pid {pid}) runs in this network namespace, and two there break "
                    f"each other's firewall rules. Use that one: export DOCKER_HOST={_listener_of(pid)} "
                    "(or stop it first)"
                )


def _listener_of(pid: int) -> str:
    arguments = _arguments(pid)
    for index, argument in enumerate(arguments):
        if argument in {"-H", "--host"} and index + 1 < len(arguments):
            return arguments[index + 1]
        if argument.startswith("--host="):
            return argument.removeprefix("--host=")
    return f"unix://{DEFAULT_SOCKET}"


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(path)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            return False
        except OSError:
            return True  # full or forbidden: someone is there
        return True


# ------------------------------------------------------------------------------------------- /proc


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _stat(pid: int) -> list[str]:
    """/proc/PID/stat from its third field (state) on; empty for no process, or a dead one uncollected."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
    return [] if fields[0] in {"Z", "X"} else fields


def _start_time(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def _parent(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def _executable(pid: int) -> str:
    try:
        return Path(os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)")).name
    except OSError:
        return ""


def _is_dockerd(pid: int) -> bool:
    return _executable(pid) == "dockerd"


def _arguments(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _mounts_below(root: Path) -> list[Path]:
    """Mount points below a folder, the deepest first."""
    points = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = Path(line.split()[4].encode().decode("unicode_escape"))
        if root in point.parents:
            points.append(point)
    return sorted(points, key=lambda point: len(point.parts), reverse=True)


def _end(pid: int, start_time: int, how: signal.Signals, seconds: float) -> None:
    """Signal exactly that process, through a descriptor that cannot come to mean another; await its end."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            if _start_time(pid) != start_time:
                return
            signal.pidfd_send_signal(descriptor, how)
            deadline = time.monotonic() + seconds
            while _start_time(pid) == start_time and time.monotonic() < deadline:
                time.sleep(0.05)
        finally:
            os.close(descriptor)


# ---------------------------------------------------------------------------------------- commands

USAGE = """\
usage: script/engine start | stop | status | env | find

A Docker Engine started by hand, for machines where nothing else starts one.
    start    start it unless it runs, and wait until it answers
    stop     end it, with its containers; images and volumes stay
    status   exit 0: answers, 1: runs but does not answer, 3: not running
    env      print the `export DOCKER_HOST=…` that clients need; nothing where the default socket is it
    find     which engine a client would use: address, what says so, version (or -); exit 1 where none answers

HOWDAH_ENGINE_ROOT     where it keeps everything (/var/lib/howdah-engine)
HOWDAH_ENGINE_TIMEOUT  seconds that a start may take (60)"""


def _find() -> int:
    address = client_address()
    version = engine_version(address)
    print(address.url, address.source, version or "-", sep="\t")
    return 0 if version else 1


def main(arguments: list[str]) -> int:
    """Run one command; returns the exit code."""
    root = Path(os.environ.get("HOWDAH_ENGINE_ROOT") or "/var/lib/howdah-engine")
    if not root.is_absolute():
        raise EngineError(f"HOWDAH_ENGINE_ROOT is {str(root)!r}: it must be an absolute path")
    engine = OwnEngine(root)
    match arguments:
        case ["start"]:
            engine.start()
        case ["stop"]:
            engine.stop()
        case ["status"]:
            return engine.status()
        case ["env"]:
            record = engine.running()
            if record and record.socket != DEFAULT_SOCKET:
                print(f"export DOCKER_HOST={shlex.quote(f'unix://{record.socket}')}")
        case ["find"]:
            return _find()
        case ["-h" | "--help"]:
            print(USAGE)
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except EngineError as error:
        print(f"engine: {error}", file=sys.stderr)
        sys.exit(1)
