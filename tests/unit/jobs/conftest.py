"""Shared by the tests of jobs."""

from pathlib import Path

import pytest

from tests.unit.jobs.fakes import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)
