import pytest

from benchmarks.figures import GIB, MB, Figure, amount, row, spread, table


def test_a_ratio_is_of_the_medians_not_of_the_means() -> None:
    figure = Figure("start", "s", (1.0, 2.0, 90.0), (4.0, 3.0, 5.0), goal=0.5)
    assert figure.measured == 0.5
    assert figure.is_met is True
    assert Figure("start", "s", (2.1,), (4.0,), goal=0.5).is_met is False


def test_without_another_side_the_median_itself_counts() -> None:
    figure = Figure("idle", "bytes", (3.0, 1.0, 2.0, 4.0))
    assert figure.measured == 2.5
    assert figure.is_met is None


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.254, "s", "254 ms"),
        (9.04, "s", "9.0 s"),
        (123.4, "s", "123 s"),
        (GIB * 1.1, "bytes", "1.10 GiB"),
        (GIB / 2, "bytes", "512 MiB"),
        (615 * MB, "MB", "615 MB"),
        (0.125, "cores", "0.12 cores"),
    ],
)
def test_amounts_are_written_for_people(value: float, unit: str, text: str) -> None:
    assert amount(value, unit) == text


def test_a_spread_says_from_where_to_where() -> None:
    assert spread((2.0, 1.0, 6.0), "s") == "2.0 s (1.0 s – 6.0 s)"
    assert spread((2.0,), "s") == "2.0 s"


def test_a_row_says_whether_the_goal_was_met() -> None:
    assert row(Figure("put", "s", (3.0,), (1.0,), 2.0)) == ("put", "3.0 s", "1.0 s", "3.00", "≤ 2.00", "**no**")
    assert row(Figure("idle", "bytes", (GIB,), goal=1.1 * GIB)) == ("idle", "1.00 GiB", "", "", "≤ 1.10 GiB", "yes")
    assert row(Figure("told", "s", (3.0,))) == ("told", "3.0 s", "", "", "", "")


def test_a_table_has_a_row_for_each_figure() -> None:
    lines = table([Figure("one", "s", (1.0,)), Figure("two", "s", (2.0,), (4.0,))]).splitlines()
    assert [line.split(" | ")[0] for line in lines] == ["| what", "| ---", "| one", "| two"]
    assert len({line.count(" | ") for line in lines}) == 1


def test_what_is_written_down_is_read_back() -> None:
    for figure in (Figure("one", "s", (1.0, 2.5)), Figure("two", "s", (2.0,), (4.0,), 0.5)):
        assert Figure.from_json(figure.to_json()) == figure
