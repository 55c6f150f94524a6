"""Who holds a lock, said precisely enough to know whether that process still lives (by /proc: Linux)."""

import getpass
import os
import socket
import uuid
from datetime import UTC, datetime
from pathlib import Path

from howdah.ports.coordinator import Holder

_PROC = Path("/proc")
_GONE = frozenset("ZXx")
"""States of a process that has ended and is only waited for (proc(5))."""


def this_process(what: str, who: str = "", since: datetime | None = None) -> Holder:
    """This process as the holder of a lock. ``who`` defaults to user@machine and the process id."""
    who = who or f"{_user()}@{socket.gethostname()} (process {os.getpid()})"
    moment = since or datetime.now(UTC)
    return Holder(who=who, what=what, since=moment.isoformat(timespec="seconds"), process=process_identity())


def process_identity() -> str:
    """Boot, pid namespace, pid and start time: no other process has, had or will have the same.

    Where there is no /proc, a text that no process has, so that it never matches.
    """
    machine, started = _machine(), _started(os.getpid())
    if not machine or not started:
        return f"unknown/{uuid.uuid4()}"
    return f"{machine}/{os.getpid()}/{started}"


def is_dead_here(holder: Holder) -> bool:
    """Whether the holder was a process of this machine and has ended. False whenever that cannot be known."""
    machine = _machine()
    place, _, rest = holder.process.rpartition("/")
    place, _, pid_text = place.rpartition("/")
    if not machine or place != machine or not pid_text.isdecimal():
        return False
    started = _started(int(pid_text))
    if started is None:
        return not _exists(int(pid_text))
    return started != rest


def is_alive_here(holder: Holder) -> bool:
    """Whether the holder is a process of this machine that still runs: waiting for its session to end is in vain."""
    machine = _machine()
    return machine is not None and holder.process.startswith(f"{machine}/") and not is_dead_here(holder)


def _machine() -> str | None:
    """Boot id and pid namespace: within both a pid means one process at a time."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return None


def _started(pid: int) -> str | None:
    """When a process began, in ticks since boot; "" when it has ended, None when /proc does not show it."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
        # The second field, the name, is in parentheses and may hold spaces and parentheses itself.
        state, *fields = stat.rpartition(")")[2].split()
        # A leader that ended before its threads is a zombie too, but the process lives on.
        is_gone = state in _GONE and len(os.listdir(_PROC / str(pid) / "task")) <= 1
        return "" if is_gone else fields[18]
    except (OSError, ValueError, IndexError):
        return None


def _exists(pid: int) -> bool:
    """Ask the kernel: /proc mounted with hidepid does not show other users' processes."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
