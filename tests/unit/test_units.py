"""Quantities: what is read, what is refused, and that the exact text reads back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import UserError
from howdah.units import Bytes, Cores, Duration


@given(st.integers(1, 2**50 // 1024))
def test_exact_bytes_read_back(kibibytes: int) -> None:
    amount = Bytes(kibibytes * 1024)
    assert Bytes.parse(amount.exact()) == amount


@given(st.integers(1, 10**8))
def test_a_duration_reads_back(seconds: int) -> None:
    assert Duration.parse(str(Duration(seconds))) == seconds


@pytest.mark.parametrize("text", ["10", "4 Gb", "NaN", "-1 GiB", "1e3 GiB", "٣ GiB", "9" * 400 + " GiB", ""])
def test_an_amount_without_a_proper_unit_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        Bytes.parse(text)


@pytest.mark.parametrize("text", ["0", "0s", "-1h", "1", "1.5h", "h", "1h 30m x", ""])
def test_what_is_no_span_of_time_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        Duration.parse(text)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "2000", "two"])
def test_what_is_no_number_of_cores_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        Cores.parse(text)
    assert Cores.parse("1.5") == 1.5


def test_a_broken_kibibyte_is_rounded_down() -> None:
    assert Bytes.parse("1.3 GiB") == 1_363_148 * 1024


def test_amounts_are_shown_in_the_largest_fitting_unit() -> None:
    assert [str(Bytes(n)) for n in (0, 1023, 1536, 2**20, 5 * 2**30)] == ["0 B", "1023 B", "1.5 KiB", "1 MiB", "5 GiB"]
