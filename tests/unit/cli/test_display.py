import os
import pty
import subprocess
import sys
from pathlib import Path

PLATFORM = str(Path(__file__).resolve().parents[3] / "platform")
PROGRAM = """
import time
from howdah.cli.display import Display
from howdah.clock import SystemClock
from howdah.errors import Failed
from howdah.model.cluster import ClusterPhase
from howdah.planning.actions import SetPhase
from howdah.planning.plan import Plan, Step
step = Step("phase", SetPhase(phase=ClusterPhase.READY, why="w"), frozenset())
with Display("looking", SystemClock()) as display:
    display.planned(Plan((step,)))
    display.started(step)
    display.waits(step, "the weather")
    time.sleep(1.6)
    display.failed(step, Failed("boom"))
print("result")
"""


def run(error: int, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {"PYTHONPATH": PLATFORM, "PATH": "/usr/bin:/bin", **variables}
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=error, text=True, check=True, env=environment)


def on_a_terminal(**variables: str) -> str:
    """What a terminal gets."""
    ours, theirs = pty.openpty()
    result = run(theirs, **variables)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # the end, on Linux
        pass
    os.close(ours)
    assert result.stdout == "result\n"
    return shown.decode()


def test_a_terminal_is_redrawn_in_place_and_keeps_what_matters() -> None:
    shown = on_a_terminal(TERM="xterm")
    assert "record READY" in shown
    assert "the weather" in shown
    assert "0 of 1 steps" in shown
    assert "\x1b[" in shown
    assert shown.rstrip().endswith("failed: record READY")


def test_without_colour_a_terminal_is_still_redrawn() -> None:
    shown = on_a_terminal(TERM="xterm", NO_COLOR="1")
    assert "record READY" in shown
    assert "\x1b[3" not in shown


def test_a_terminal_that_cannot_is_written_in_lines() -> None:
    shown = on_a_terminal(TERM="dumb")
    assert "\x1b" not in shown
    assert "record READY: the weather for 1 s" in shown


def test_a_file_gets_lines_without_control_characters() -> None:
    result = run(subprocess.PIPE, TERM="xterm")
    assert result.stdout == "result\n"
    assert "\x1b" not in result.stderr
    assert "record READY: the weather for 1 s" in result.stderr


def test_work_goes_on_where_nobody_can_read_of_it() -> None:
    with open("/dev/full", "w") as full:
        assert run(full.fileno()).stdout == "result\n"
