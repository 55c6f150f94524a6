"""The program as a whole: how it starts, its help, its reference, its completion."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from howdah import __version__
from howdah.cli.application import app
from howdah.cli.reference import markdown
from tests.unit.cli.conftest import Howdah

ROOT = Path(__file__).resolve().parents[3]
HEAVY = {
    *("docker", "kazoo", "requests", "urllib3", "pydantic", "jinja2", "ruamel", "rich", "tenacity"),
    *("howdah.client", "howdah.app", "howdah.model", "howdah.planning"),
}


def commands(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in getattr(command, "commands", {}).items():
        yield f"{path}{name}", inner
        yield from commands(inner, f"{path}{name} ")


ALL = dict(commands(typer.main.get_command(app)))


def test_help_does_not_load_what_it_does_not_need() -> None:
    script = (
        "import sys, json\nfrom howdah.cli import main\n"
        "try: main()\nexcept SystemExit: print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    environment = {"PYTHONPATH": str(ROOT / "platform"), "PATH": "/usr/bin:/bin"}
    result = subprocess.run(
        [sys.executable, "-c", script, "--help"], capture_output=True, text=True, check=True, env=environment
    )
    assert "launch" in result.stdout
    loaded = set(json.loads(result.stderr))
    assert not loaded & HEAVY


def test_the_version_is_told(howdah: Howdah) -> None:
    assert howdah.well("--version") == f"howdah {__version__}\n"


def test_nothing_asked_is_answered_with_help(howdah: Howdah) -> None:
    assert "Commands:" in howdah().output


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_a_summary_of_one_line_and_help(howdah: Howdah, name: str) -> None:
    summary = ALL[name].get_short_help_str(limit=65)
    assert summary
    assert not summary.endswith("..."), "the first sentence is too long to be shown whole"
    group, *inner = name.split()
    cluster = ["demo"] if inner and group in ("hdfs", "submit") else []
    shown = howdah.well(group, *cluster, *inner, "--help")
    assert "Usage:" in shown


@pytest.mark.parametrize("name", [name for name in ALL if not name.startswith(("hdfs ", "submit "))])
def test_every_command_has_an_example(name: str) -> None:
    epilog = ALL[name].epilog or ""
    assert f"howdah {name}" in epilog or hasattr(ALL[name], "commands")


def test_the_reference_is_current() -> None:
    written = (ROOT / "docs" / "reference" / "cli.md").read_text()
    assert written == markdown(), "run: python -m howdah.cli.reference > docs/reference/cli.md"


def test_every_variable_that_is_read_is_documented() -> None:
    documented = (ROOT / "docs" / "reference" / "environment.md").read_text()
    sources = "\n".join(path.read_text() for path in (ROOT / "platform").rglob("*.py"))
    read = set(re.findall(r"\b_?HOWDAH_[A-Z_]+[A-Z]\b", sources)) | {"DOCKER_HOST", "DOCKER_CONTEXT", "NO_COLOR"}
    missing = sorted(name for name in read if f"`{name}`" not in documented)
    assert not missing


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_completion_is_printed(howdah: Howdah, shell: str) -> None:
    shown = howdah.well("completion", "show", shell)
    assert "_HOWDAH_COMPLETE" in shown


def complete(words: str) -> list[str]:
    """What bash would offer."""
    environment = {
        "PYTHONPATH": str(ROOT / "platform"),
        "PATH": "/usr/bin:/bin",
        "_HOWDAH_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    command = [sys.executable, "-c", "from howdah.cli import main; main()"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return result.stdout.split()


def test_commands_and_templates_are_completed() -> None:
    assert complete("howdah la") == ["launch"]
    assert complete("howdah launch sm") == ["small"]
    assert complete("howdah image ver") == ["verify"]
