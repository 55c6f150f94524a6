import pytest

from howdah import resources
from howdah.errors import Bug


def test_what_is_shipped_is_found() -> None:
    assert {"small", "single"} <= set(resources.templates())
    assert (resources.images() / "base" / "options").is_file()


def test_a_broken_installation_says_where_it_looked() -> None:
    with pytest.raises(Bug, match="nothing_here"):
        resources.folder("nothing_here")
