from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import recording
from benchmarks.figures import Figure
from benchmarks.recording import BEGIN, END, Result

RESULT = Result(
    benchmark="launch",
    figures=(Figure("to ready", "s", (8.0, 9.0), (20.0, 22.0), 0.45),),
    notes=("a note",),
    date="2026-01-02T03:04:05+00:00",
    commit="abcdef012345",
    machine={"cores": 2, "memory_gib": 8, "kernel": "6.1", "engine": "20.10", "python": "3.11"},
    load=(0.5, 1.75),
    runs=2,
)


def test_results_are_appended_and_read_back(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    assert recording.read(file) == ()
    later = replace(RESULT, benchmark="idle")
    recording.append(RESULT, file)
    recording.append(later, file)
    assert recording.read(file) == (RESULT, later)


def test_all_results_of_the_last_commit_count_and_none_is_picked() -> None:
    older = replace(RESULT, commit="old")
    again = replace(RESULT, runs=1)
    idle = replace(RESULT, benchmark="idle", commit="old")
    assert recording.latest((older, RESULT, idle, again), ("idle", "launch", "files")) == (idle, RESULT, again)


def test_the_page_keeps_what_people_wrote() -> None:
    text = f"# Performance\n\nWords.\n\n{BEGIN}\nold results\n{END}\n\nMore words.\n"
    page = recording.page(text, (RESULT,))
    assert page.startswith("# Performance\n\nWords.\n")
    assert page.endswith("More words.\n")
    assert "old results" not in page
    assert "| to ready | 8.5 s (8.0 s – 9.0 s) | 21.0 s (20.0 s – 22.0 s) | 0.40 | ≤ 0.45 | yes |" in page
    assert "2026-01-02 03:04 UTC, commit abcdef012345, 2 cores, 8 GiB, Linux 6.1, engine 20.10, load 0.5 to 1.8" in page
    assert recording.page(page, (RESULT,)) == page


def test_a_page_without_marks_is_not_touched() -> None:
    with pytest.raises(ValueError, match="no <!-- results"):
        recording.page("# Performance\n", (RESULT,))
