"""Runs one job in the gateway, and lets it be followed: ``VERB ROOT JOB [ARGUMENT …]``.

It is sent as text to the gateway's Python (3.11 or later) for each call, so it imports only the standard library. What
is started lives on when the call's connection breaks: its folder ROOT/JOB is all that a later call needs.

    job.json  what to run, with the files beside it, from the submitter
    lock      locked as long as the job's client, or its supervisor, lives
    pid       written by the client process just before it becomes the client: after that, it is never started again
    stdout, stderr, exit.json
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import tarfile
import time
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

ENDED, SILENT, GONE, NOT_STARTED = 0, 75, 76, 77
"""What ``follow`` exits with."""
KEPT = 50
"""Folders of ended jobs; the oldest go when another one starts."""
BEGUN = b"+"
TAIL = 64 * 1024
CHUNK = 64 * 1024
POLL = 0.05
LOCK_SECONDS = 2.0
KILL_SECONDS = 10.0


# ------------------------------------------------------------------------------------------------ start


def start(root: str, job: str) -> int:
    """Put the job's files there, and run it unless it was run before. Prints whether this call started it."""
    folder = os.path.join(root, job)
    stage(root, folder)
    lock = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT, 0o644)
    if not take(lock) or os.path.exists(os.path.join(folder, "pid")):
        answer({"started": False})
        return 0
    prune(root, job)
    configure(folder, read(folder, "job.json"))
    began, tell = os.pipe()
    if os.fork() == 0:
        detach(began)
        supervise(folder, tell)
        os._exit(0)
    os.close(tell)
    told = os.read(began, CHUNK)
    if told != BEGUN:
        raise SystemExit(told.decode("utf-8", "replace") or "its supervisor ended")
    answer({"started": True})
    return 0


def stage(root: str, folder: str) -> None:
    """Unpack standard input; the folder appears whole. Of two at once the first one wins."""
    if os.path.isdir(folder):
        return
    os.makedirs(root, exist_ok=True)
    new = f"{folder}.new-{os.getpid()}-{time.time_ns()}"
    try:
        for name in ("files", "tmp"):
            os.makedirs(os.path.join(new, name))
        with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
            for member in archive:
                unpack(archive, member, new)
        if not os.path.exists(os.path.join(new, "job.json")):  # the last one
            raise SystemExit("the job did not arrive whole")
        os.rename(new, folder)
    except tarfile.TarError:
        raise SystemExit("the job did not arrive whole") from None
    except OSError as error:
        if not os.path.isdir(folder):
            raise SystemExit(f"{error.filename or folder}: {error.strerror}") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: str) -> None:
    """One file; the archive is ours and holds nothing else."""
    content = archive.extractfile(member)
    if content is None or ".." in member.name.split("/"):
        raise SystemExit(f"{member.name} is no file of a job")
    target = os.path.join(folder, member.name)
    with open(target, "wb") as file:
        shutil.copyfileobj(content, file)
    os.chmod(target, member.mode & 0o777)


def take(lock: int) -> bool:
    """Lock it for good. Those who only look hold it for an instant, so try for a while."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL)


def detach(began: int) -> None:
    """Leave the call's session and its pipes."""
    os.close(began)
    os.setsid()
    if os.fork():
        os._exit(0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)


def supervise(folder: str, tell: int) -> None:
    """Run the client to its end and write down how it ended."""
    job = read(folder, "job.json")
    before, begin = out_of_memory_kills(), time.time()
    client = os.fork()
    if client == 0:
        become(folder, job, tell)
    os.close(tell)
    _, status = os.waitpid(client, 0)
    if not os.path.exists(os.path.join(folder, "pid")):
        return  # nothing of it ran: a later call may start it
    with contextlib.suppress(ProcessLookupError):
        os.killpg(client, signal.SIGKILL)  # what an ended client left behind
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    ending = {
        "code": 128 + number if number else os.WEXITSTATUS(status),
        "signal": number,
        "began": begin,
        "ended": time.time(),
        "out_of_memory": out_of_memory_kills() > before,
        "killed": os.path.exists(os.path.join(folder, "killed")),
    }
    write(folder, "exit.json", json.dumps(ending))
    for name in ("tmp", "conf"):
        shutil.rmtree(os.path.join(folder, name), ignore_errors=True)


def become(folder: str, job: dict[str, Any], tell: int) -> None:
    """In the child: be the client. Nothing of it has run before ``pid`` is there, and ``pid`` is made once."""
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and the client would inherit that
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), number)
        os.chdir(os.path.join(folder, "files"))
        variables = dict(os.environ, **job["environment"])
        for name, more in job["appended"].items():
            variables[name] = f"{os.environ[name]} {more}" if os.environ.get(name) else more
        mark = os.path.join(folder, f".pid-{os.getpid()}")
        with open(mark, "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
            file.flush()
            os.fsync(file.fileno())
        os.link(mark, os.path.join(folder, "pid"))
        os.unlink(mark)
        os.write(tell, BEGUN)
    except OSError as error:
        os.write(tell, f"{error.filename or folder}: {error.strerror}".encode())
        os._exit(127)
    try:
        os.execvpe(job["argv"][0], job["argv"], variables)
    except OSError as error:
        os.write(2, f"{job['argv'][0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def configure(folder: str, job: dict[str, Any]) -> None:
    """The gateway's configuration, with the job's own properties added. Of two equal ones Hadoop takes the later."""
    target = os.path.join(folder, "conf")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(os.environ.get("HADOOP_CONF_DIR", "/etc/hadoop"), target, copy_function=shutil.copyfile)
    os.chmod(target, 0o755)
    for name, properties in job["properties"].items():
        path = os.path.join(target, name)
        text = "<configuration>\n</configuration>\n"
        with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as file:
            text = file.read()
        added = "".join(
            f"<property><name>{escape(key)}</name><value>{escape(value)}</value></property>\n"
            for key, value in properties.items()
        )
        head, end, tail = text.rpartition("</configuration>")
        with open(path, "w", encoding="utf-8") as file:
            file.write(head + added + end + tail)
    for name, text in job["texts"].items():
        with open(os.path.join(target, name), "w", encoding="utf-8") as file:
            file.write(text)


def prune(root: str, job: str) -> None:
    """Let go of the oldest jobs that have ended, and of what broken calls left behind an hour ago."""
    names = sorted(os.listdir(root))
    whole = [name for name in names if name != job and os.path.exists(os.path.join(root, name, "exit.json"))]
    broken = [
        name for name in names if ".new-" in name and time.time() - os.stat(os.path.join(root, name)).st_mtime > 3600
    ]
    for name in whole[: max(0, len(whole) - KEPT)] + broken:
        shutil.rmtree(os.path.join(root, name), ignore_errors=True)


# ------------------------------------------------------------------------------------------------ follow


def follow(root: str, job: str, stdout_from: str, stderr_from: str, silence: str) -> int:
    """Copy the job's output from these offsets on. Ends with the job, or when it says nothing for so many seconds."""
    folder = os.path.join(root, job)
    offsets = {"stdout": int(stdout_from), "stderr": int(stderr_from)}
    heard = time.monotonic()
    while True:
        phase = phase_of(folder)  # before its output is read, so that nothing is missed
        if copy(folder, "stdout", offsets, 1) + copy(folder, "stderr", offsets, 2):
            heard = time.monotonic()
        elif phase == "ended":
            return ENDED
        elif phase != "running":
            return GONE if phase == "gone" else NOT_STARTED
        elif time.monotonic() - heard >= float(silence):
            return SILENT
        else:
            time.sleep(POLL)


def copy(folder: str, name: str, offsets: dict[str, int], target: int) -> int:
    """What is new in one file, a chunk of it."""
    try:
        with open(os.path.join(folder, name), "rb") as file:
            file.seek(offsets[name])
            data = file.read(CHUNK)
    except FileNotFoundError:
        return 0
    offsets[name] += len(data)
    rest = data
    while rest:
        rest = rest[os.write(target, rest) :]
    return len(data)


# ------------------------------------------------------------------------------------------------ state, kill


def state(root: str, job: str) -> int:
    """Print where the job stands, and the end of its output."""
    folder = os.path.join(root, job)
    phase = phase_of(folder)
    report: dict[str, Any] = {"phase": phase, "exit": read(folder, "exit.json") if phase == "ended" else None}
    for name in ("stdout", "stderr"):
        report[name] = tail(os.path.join(folder, name))
    answer(report)
    return 0


def phase_of(folder: str) -> str:
    """Absent, staged, running, ended; or gone: it was started, and neither it nor how it ended is there."""
    if not os.path.isdir(folder):
        return "absent"
    for _ in range(2):
        if os.path.exists(os.path.join(folder, "exit.json")):
            return "ended"
        if is_locked(folder):
            return "running"
    return "gone" if os.path.exists(os.path.join(folder, "pid")) else "staged"


def is_locked(folder: str) -> bool:
    """Whether a supervisor lives."""
    try:
        lock = os.open(os.path.join(folder, "lock"), os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def kill(root: str, job: str) -> int:
    """Ask the client to end, and make it after ten seconds. Prints whether it ran."""
    folder = os.path.join(root, job)
    runs = phase_of(folder) == "running" and os.path.exists(os.path.join(folder, "pid"))
    if runs:
        write(folder, "killed", "")
        with open(os.path.join(folder, "pid"), encoding="utf-8") as file:
            client = int(file.read())
        deadline = time.monotonic() + KILL_SECONDS
        number = signal.SIGTERM
        while is_locked(folder):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(client, number)
            while is_locked(folder) and time.monotonic() < deadline:
                time.sleep(POLL)
            deadline, number = time.monotonic() + KILL_SECONDS, signal.SIGKILL
    answer({"ran": runs})
    return 0


# ------------------------------------------------------------------------------------------------ files


def read(folder: str, name: str) -> Any:
    """JSON."""
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


def answer(value: Any) -> None:
    """To the caller."""
    sys.stdout.write(json.dumps(value) + "\n")


def write(folder: str, name: str, text: str) -> None:
    """By rename, so that nobody reads half of it."""
    new = os.path.join(folder, f".{name}-{os.getpid()}")
    with open(new, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(new, os.path.join(folder, name))


def tail(path: str) -> str:
    """The last of a file, as text."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL))
            return file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def out_of_memory_kills() -> int:
    """How often the kernel killed something in this container for memory."""
    for path in ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"):
        try:
            with open(path, encoding="ascii") as file:
                words = dict(line.split() for line in file if len(line.split()) == 2)
        except OSError:
            continue
        return int(words.get("oom_kill", 0))
    return 0


VERBS: dict[str, Callable[..., int]] = {"start": start, "follow": follow, "state": state, "kill": kill}

if __name__ == "__main__":
    sys.exit(VERBS[sys.argv[1]](*sys.argv[2:]))
