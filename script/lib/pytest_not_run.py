"""What a test run left out, and how to run it: a pytest plugin that `script/test` loads."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

# A folder of tests, and how to have it run.
TIERS = {
    "unit": "script/test --unit",
    "contract": "script/test",
    "integration": "script/test",
    "hosts": "script/test",
    "drills": "script/test",
}


class NotRun:
    """Counts what was deselected or skipped, by what it would take to run it."""

    def __init__(self) -> None:
        self.left_out: Counter[str] = Counter()
        self.without_area = 0

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember the areas of the long sweeps; anything else was left out by the caller's own selection."""
        for item in items:
            area = area_of(item)
            if area:
                self.left_out[f"the long sweep of {area}: script/test --full {area}"] += 1
            else:
                self.without_area += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Say it just above pytest's own last line."""
        lines = [f"{count} × {what}" for what, count in sorted(self.left_out.items())]
        if self.without_area:
            lines.append(f"{self.without_area} × left out by the selection given on the command line")
        if skipped := len(terminalreporter.stats.get("skipped", [])):
            lines.append(f"{skipped} × skipped, for the reasons below")
        chosen = [Path(argument).resolve() for argument in config.args]
        for tier, command in TIERS.items():
            folder = config.rootpath / "tests" / tier
            if folder.is_dir() and not any(folder == c or c in folder.parents or folder in c.parents for c in chosen):
                lines.append(f"tests/{tier}: {command}")
        terminalreporter.section("not run" if lines else "everything was run")
        for line in lines:
            terminalreporter.line(line)
        if seed := os.environ.get("HOWDAH_TEST_SEED"):
            terminalreporter.line(f"seed of this run: HOWDAH_TEST_SEED={seed}")


def area_of(item: pytest.Item) -> str | None:
    """The area of a long sweep: `@pytest.mark.full(area="…")`."""
    marker = item.get_closest_marker("full")
    if marker is None:
        return None
    area = marker.kwargs.get("area")
    if not isinstance(area, str):
        raise pytest.UsageError(f'{item.nodeid}: write @pytest.mark.full(area="…"), so that --full can choose it')
    return area


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before anything is selected: refuse a long sweep without an area, and an area without a sweep."""
    areas = {area for item in items if (area := area_of(item))}
    unknown = set(os.environ.get("HOWDAH_TEST_AREAS", "").split()) - areas - {"all"}
    if unknown:
        raise pytest.UsageError(f"no long sweep is of {sorted(unknown)}; there are {sorted(areas)}")


def pytest_configure(config: pytest.Config) -> None:
    """Register the counter, in the process that prints and not in its workers."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(NotRun(), "howdah-not-run")
