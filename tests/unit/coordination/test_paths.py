"""Names cannot lead out of their folder."""

import pytest

from howdah.coordination import paths
from howdah.errors import Bug


def test_where_records_are() -> None:
    assert paths.cluster("sales") == "/howdah/clusters/sales"
    assert paths.instance("0b-1", "dn1") == "/howdah/instances/0b-1/dn1"
    assert paths.data_set("sales") == "/howdah/datasets/sales"
    assert paths.lock("sales") == "/howdah/locks/sales"


@pytest.mark.parametrize("name", ["", "a/b", "..", "Sales", "a b", "a\n", "ä", "a_b", "a\0"])
def test_what_is_no_name_is_a_bug(name: str) -> None:
    for path in (paths.cluster, paths.data_set, paths.events, paths.endpoints, paths.lock, paths.host, paths.job):
        with pytest.raises(Bug):
            path(name)
    with pytest.raises(Bug):
        paths.instance("0b-1", name)
    with pytest.raises(Bug):
        paths.instance(name, "dn1")
