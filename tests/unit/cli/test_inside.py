import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from howdah.cli.merging import merged
from howdah.errors import Transient
from howdah.ports.engine import ExecResult
from howdah.testing.rig import World
from tests.unit.cli.conftest import Howdah


@pytest.fixture(autouse=True)
def _launched(howdah: Howdah) -> None:
    howdah.well("launch", "single", "--name", "demo")


def test_exec_returns_output_apart_and_the_inner_code(howdah: Howdah, world: World) -> None:
    world.engine.on_exec = lambda name, argv, stdin: ExecResult(7, f"{name} {argv}".encode(), b"oh\xff")
    result = howdah("exec", "demo", "gw1", "--", "ls", "-l", "--", "/")
    assert result.exit_code == 7
    assert result.stdout == "demo-gw1 ('ls', '-l', '--', '/')"
    assert result.stderr_bytes == b"oh\xff"


def test_exec_takes_a_command_without_dashes_too(howdah: Howdah, world: World) -> None:
    world.engine.on_exec = lambda name, argv, stdin: ExecResult(0, repr(argv).encode(), b"")
    assert howdah.well("exec", "demo", "gw1", "ls", "-l") == "('ls', '-l')"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("demo", "gw2", "--", "ls"), "gw1"),
        (("dem", "gw1", "--", "ls"), "demo"),
        (("demo", "gw1", "--"), "after --"),
    ],
)
def test_exec_tells_its_own_failure_by_125(howdah: Howdah, words: tuple[str, ...], said: str) -> None:
    result = howdah("exec", *words)
    assert result.exit_code == 125
    assert said in result.stderr


def test_exec_of_what_does_not_run_is_125(howdah: Howdah) -> None:
    howdah.well("stop", "demo")
    assert howdah("exec", "demo", "gw1", "--", "ls").exit_code == 125


def test_shell_returns_the_inner_code(howdah: Howdah, world: World) -> None:
    world.engine.on_exec = lambda name, argv, stdin: ExecResult(3 if name == "demo-gw1" else 4, b"", b"")
    assert howdah("shell", "demo").exit_code == 3
    assert howdah("shell", "demo", "nn1").exit_code == 4
    assert howdah("shell", "demo", "nn7").exit_code == 125


def test_logs_of_one_are_its_lines(howdah: Howdah, world: World) -> None:
    world.engine.containers["demo-nn1"].lines = ["one", "two", "three"]
    assert howdah.well("logs", "demo", "nn1") == "one\ntwo\nthree\n"
    assert howdah.well("logs", "demo", "nn1", "--tail", "2") == "two\nthree\n"


@pytest.mark.parametrize("words", [(), ("-f",)])
def test_logs_of_all_have_the_instance_before_each_line(howdah: Howdah, world: World, words: tuple[str, ...]) -> None:
    world.engine.containers["demo-nn1"].lines = ["one"]
    world.engine.containers["demo-dn1"].lines = ["two"]
    assert sorted(howdah.well("logs", "demo", *words).splitlines()) == ["dn1 | two", "nn1 | one"]


def test_a_stream_that_breaks_ends_the_merged_one() -> None:
    def breaks() -> Iterator[str]:
        yield "a line"
        raise Transient("gone")

    with pytest.raises(Transient):
        list(merged({"a": breaks(), "b": iter(())}, at_once=True))


def test_what_is_exported_is_what_launch_accepts(howdah: Howdah, tmp_path: Path) -> None:
    file = tmp_path / "demo.yaml"
    file.write_text(howdah.well("export", "demo"))
    assert "nothing to do" in howdah.well("launch", str(file))


def test_env_prints_files_or_writes_them(howdah: Howdah, tmp_path: Path) -> None:
    printed = howdah.well("env", "demo")
    assert "==> core-site.xml <==" in printed
    assert howdah.well("env", "demo", "--to", str(tmp_path / "conf")) == f"export HADOOP_CONF_DIR={tmp_path}/conf\n"
    files = json.loads(howdah.well("env", "demo", "--json"))
    assert {path.name: path.read_text() for path in (tmp_path / "conf").iterdir()} == files


def test_env_that_cannot_be_written_says_why(howdah: Howdah, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = howdah("env", "demo", "--to", str(tmp_path / "file"))
    assert result.exit_code == 2
    assert "exists" in result.stderr
