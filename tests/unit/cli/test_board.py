from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from howdah.cli.board import Board
from howdah.errors import Failed
from howdah.model.cluster import ClusterPhase
from howdah.planning.actions import SetPhase
from howdah.planning.plan import Plan, Step
from howdah.ports.coordinator import Holder


@dataclass
class StillClock:
    """Stands still until it is moved."""

    seconds: float = 100.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


READY = Step("phase", SetPhase(phase=ClusterPhase.READY, why="w"), frozenset())
STOPPED = Step("other", SetPhase(phase=ClusterPhase.STOPPED, why="w"), frozenset())


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def board(clock: StillClock) -> Board:
    return Board("looking", clock)


def taken(board: Board) -> list[str]:
    board.mention()
    return [line.text for line in board.take()]


def test_a_quick_step_is_one_line(board: Board, clock: StillClock) -> None:
    board.planned(Plan((READY,)))
    board.started(READY)
    clock.seconds += 0.9
    assert taken(board) == []
    board.done(READY, 0.9)
    assert taken(board) == ["[  0.9 s] record READY (0.9 s)"]
    assert (board.finished, board.total) == (1, 1)


def test_a_slow_step_says_what_it_waits_for_less_and_less_often(board: Board, clock: StillClock) -> None:
    board.started(READY)
    board.waits(READY, "the weather")
    mentioned = []
    for second in range(1, 61):
        clock.seconds = 100.0 + second
        mentioned += [second for text in taken(board) if text.endswith(f"the weather for {second} s")]
    assert mentioned == [1, 2, 4, 8, 16, 31, 46]


def test_anything_over_a_second_shows_something(board: Board, clock: StillClock) -> None:
    assert taken(board) == []
    clock.seconds += 1.1
    assert taken(board) == ["[  1.1 s] looking: under way for 1 s"]


def test_the_time_between_two_steps_counts_from_the_end_of_the_first(board: Board, clock: StillClock) -> None:
    board.started(READY)
    clock.seconds += 5
    board.done(READY, 5.0)
    board.take()
    assert taken(board) == []


def test_what_is_under_way_is_shown_with_its_seconds(board: Board, clock: StillClock) -> None:
    board.started(READY)
    clock.seconds += 2
    board.started(STOPPED)
    board.waits(READY, "the weather")
    clock.seconds += 1
    assert board.now() == [("record READY", 3.0, "the weather"), ("record STOPPED", 1.0, "")]


def test_the_first_error_is_left_to_the_end_of_the_program(board: Board) -> None:
    board.failed(READY, Failed("boom"))
    board.failed(STOPPED, Failed("bang\nbang"))
    assert [line.text[9:] for line in board.take()] == [" failed: record READY", " failed: record STOPPED: bang"]


def test_a_holder_is_named_once(board: Board) -> None:
    holder = Holder("ann@host", "launch", "2026-01-01T00:00:00+00:00", "x")
    board.held(holder)
    board.held(holder)
    (line,) = board.take()
    assert line.is_news
    assert "ann@host" in line.text
    assert "launch" in line.text
    assert "waiting" in line.text


def test_a_step_that_is_over_waits_for_nothing(board: Board) -> None:
    board.started(READY)
    board.done(READY, 0.1)
    board.waits(READY, "late")
    assert board.now() == [("looking", 0.0, "")]
