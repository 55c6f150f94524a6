"""Exit codes, and what is said: a row for each way to go wrong."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from howdah.client import Client
from howdah.errors import (
    Bug,
    Conflict,
    Failed,
    Fenced,
    HowdahError,
    NotFound,
    Problems,
    Refused,
    Transient,
    UserError,
)
from howdah.testing.rig import World
from tests.unit.cli.conftest import Howdah, WorldClient, WorldInstallation

PLATFORM = str(Path(__file__).resolve().parents[3] / "platform")
ERRORS: list[tuple[HowdahError, int]] = [
    (UserError("bad", fix="do better"), 2),
    (NotFound("gone", fix="look elsewhere"), 2),
    (Problems((UserError("first", place="a.yaml:1:2"), UserError("second"))), 2),
    (Refused("no", fix="name it"), 3),
    (Transient("away"), 1),
    (Conflict("held"), 1),
    (Fenced("lost"), 1),
    (Failed("did not"), 1),
]


def failing(world: World, error: BaseException) -> Callable[[object], Client]:
    """Clients whose every verb raises that."""

    class Failing(WorldClient):
        def __getattribute__(self, name: str) -> object:
            if name in ("status", "list", "exec", "launch", "stop"):
                raise error
            return super().__getattribute__(name)

    return lambda progress: Failing(WorldInstallation(world))


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=lambda value: type(value).__name__)
def test_an_expected_error_is_told_in_its_own_words(howdah: Howdah, error: HowdahError, code: int) -> None:
    howdah.make_client = failing(howdah.world, error)
    result = howdah("status", "demo")
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr == f"howdah: {error}\n"


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=lambda value: type(value).__name__)
def test_where_a_program_s_code_is_returned_our_own_failure_is_125(
    howdah: Howdah, error: HowdahError, code: int
) -> None:
    howdah.make_client = failing(howdah.world, error)
    assert howdah("exec", "demo", "gw1", "--", "true").exit_code == 125


@pytest.mark.parametrize("error", [RuntimeError("surprise"), KeyError("x"), Bug("cannot be"), AssertionError()])
def test_a_surprise_is_shown_whole(howdah: Howdah, error: Exception) -> None:
    howdah.make_client = failing(howdah.world, error)
    result = howdah("status", "demo")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert "bug in howdah" in result.stderr.splitlines()[-1]
    assert howdah("exec", "demo", "gw1", "--", "true").exit_code == 125


def test_an_interruption_is_one_line(howdah: Howdah) -> None:
    howdah.make_client = failing(howdah.world, KeyboardInterrupt())
    result = howdah("launch", "small", "--name", "demo")
    assert result.exit_code == 130
    assert result.stderr == "howdah: interrupted: the same command goes on\n"


def test_an_interrupted_command_inside_is_told_as_such(howdah: Howdah) -> None:
    howdah.make_client = failing(howdah.world, KeyboardInterrupt())
    result = howdah("exec", "demo", "gw1", "--", "true")
    assert result.exit_code == 130
    assert "may go on inside of gw1" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("status",),
        ("status", "a", "b"),
        ("status", "demo", "--nonsense"),
        ("delete", "demo", "--data", "perhaps"),
        ("logs", "demo", "--tail", "-1"),
        ("completion", "show", "tcsh"),
        ("exec", "demo", "gw1"),
        ("image", "build", "windows"),
    ],
)
def test_words_that_make_no_command_end_with_2(howdah: Howdah, words: tuple[str, ...]) -> None:
    result = howdah(*words)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "words",
    [("status", "demo"), ("stop", "demo"), ("start", "demo"), ("delete", "demo"), ("export", "demo"), ("env", "demo")],
)
def test_a_mistyped_name_is_answered_with_the_nearest(howdah: Howdah, words: tuple[str, ...]) -> None:
    howdah.well("launch", "single", "--name", "demos")
    result = howdah(*words)
    assert result.exit_code == 2
    assert "demos" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_mistyped_command_is_answered_with_the_nearest(howdah: Howdah) -> None:
    result = howdah("lunch")
    assert "'launch'" in result.stderr


# ---------------------------------------------------------------- the real program, without an engine


def program(*words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {"DOCKER_HOST": "unix:///nonexistent/engine.sock", "PATH": "/usr/bin:/bin", **variables}
    command = [sys.executable, "-c", "from howdah.cli import main; main()", *words]
    environment["PYTHONPATH"] = PLATFORM
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)


def test_an_engine_that_is_not_there_is_named() -> None:
    result = program("list")
    assert result.returncode == 1
    assert "/nonexistent/engine.sock" in result.stderr
    assert "fix:" in result.stderr
    assert "Traceback" not in result.stderr


def test_no_secret_is_shown(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials"
    credentials.write_text("swordfish")
    result = program("list", HOWDAH_ZOOKEEPER="localhost:1", HOWDAH_ZOOKEEPER_CREDENTIALS=str(credentials))
    assert result.returncode == 2
    assert str(credentials) in result.stderr
    assert "swordfish" not in result.stdout + result.stderr


def in_a_shell(command: str) -> "subprocess.CompletedProcess[str]":
    """``howdah`` is the program."""
    program = f"howdah() {{ '{sys.executable}' -c 'from howdah.cli import main; main()' \"$@\"; }}; {command}"
    environment = {"PYTHONPATH": PLATFORM, "PATH": "/usr/bin:/bin"}
    return subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False, env=environment)


def test_a_reader_that_went_away_is_no_event() -> None:
    result = in_a_shell("howdah templates show small | true; echo ${PIPESTATUS[0]}")
    assert result.stderr == ""
    assert result.stdout.strip() == "141"


def test_a_full_disk_is_one_line() -> None:
    result = in_a_shell("howdah templates > /dev/full")
    assert result.returncode == 1
    assert result.stderr == "howdah: the output cannot be written: No space left on device\n"


def test_errors_that_nobody_can_read_keep_their_code() -> None:
    assert in_a_shell("howdah templates show smal 2> /dev/full").returncode == 2
