"""Whether the holder of a lock still lives."""

import subprocess
import sys
import threading
from dataclasses import replace

from howdah.coordination.holder import is_dead_here, process_identity, this_process

SAY_WHO = "from howdah.coordination.holder import process_identity as p; print(p(), flush=True); input()"


def test_this_process_lives() -> None:
    holder = this_process("launch", who="ann")
    assert (holder.who, holder.what) == ("ann", "launch")
    assert not is_dead_here(holder)
    assert process_identity() == holder.process


def test_every_thread_is_the_same_process() -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(process_identity()))
    thread.start()
    thread.join()
    assert found == [process_identity()]


def test_a_killed_process_is_dead_before_and_after_it_is_waited_for() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SAY_WHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        holder = replace(this_process("launch"), process=child.stdout.readline().strip())
        assert not is_dead_here(holder)
        child.kill()
        # Until the kernel has made a zombie of it, without reaping that.
        while (child_state := open_state(child.pid)) != "Z":
            assert child_state
        assert is_dead_here(holder)
        child.wait()
        assert is_dead_here(holder)


def open_state(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]


def test_a_pid_that_another_process_has_now_is_dead() -> None:
    holder = this_process("launch")
    place, _, started = holder.process.rpartition("/")
    assert is_dead_here(replace(holder, process=f"{place}/{int(started) - 1}"))


def test_of_another_machine_or_another_form_nothing_is_known() -> None:
    holder = this_process("launch")
    boot, namespace, pid, started = holder.process.split("/")
    elsewhere = (
        f"0{boot}/{namespace}/{pid}/1",
        f"{boot}/0{namespace}/{pid}/1",
        "unknown/4c7a",
        "",
        "1/2",
        f"{boot}/{namespace}/x/{started}",
    )
    for process in elsewhere:
        assert not is_dead_here(replace(holder, process=process))
