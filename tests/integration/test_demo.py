"""The demonstration, as the README tells a stranger to run it."""

import subprocess
from pathlib import Path

import pytest

from tests.integration.place import Place

pytestmark = pytest.mark.engine

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_demonstration_runs_and_leaves_nothing(place: Place) -> None:
    before = set(place.containers())
    ended = subprocess.run(
        [str(CHECKOUT / "script/demo"), "demonstrated"],
        env=place.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        cwd="/",
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "all of it went well" in ended.stdout
    # libc6 is what most of Debian stands on; libs and libdevel are its largest sections.
    assert "libc6" in ended.stdout
    assert "libdevel" in ended.stdout
    assert ended.stdout.count(", the same") == 3
    assert set(place.containers()) - before <= {"howdah-registry"}
