"""Every command of the README does what it says, in the order in which a reader would type them."""

import re
import shlex
from pathlib import Path

import pytest

from tests.integration.place import Place

CHECKOUT = Path(__file__).resolve().parents[2]
APART = {"script/demo": "tests/integration/test_demo.py", "script/test": "what runs this"}
"""Commands that another test runs."""


def commands() -> list[str]:
    """The lines with a prompt in the README's console blocks, up to the transcript."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8").partition("<!-- transcript")[0]
    blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_the_readme_begins_with_the_two_commands() -> None:
    assert commands()[:2] == list(APART)


@pytest.mark.engine
def test_every_command_of_the_readme_works(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)
    ran = [command for command in commands() if command not in APART]
    assert len(ran) >= 15
    outputs = {}
    for command in ran:
        program, *argv = shlex.split(command)
        assert program == "howdah", f"nothing runs {command!r}"
        outputs[command] = place.done(*(str(CHECKOUT / a) if (CHECKOUT / a).is_file() else a for a in argv))
    assert "README.md" in outputs["howdah hdfs sales ls -R /in"]
    assert "_SUCCESS" in outputs["howdah hdfs sales ls /words"]
    assert "sales" not in place.done("list")
