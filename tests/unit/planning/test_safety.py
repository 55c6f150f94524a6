"""Reasons to refuse: every kind of damage to every volume, in every state of the data set."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from howdah.errors import HowdahError, Refused
from howdah.model.cluster import ClusterPhase, Desired
from howdah.model.storage import DataSetState, FoundVolume, HdfsVersionFile, VolumeIdentity, VolumeState
from howdah.planning.diff import plan
from howdah.planning.observed import Observed
from howdah.planning.safety import end_objections, start_objections
from tests.unit.planning.situations import IMAGES, desired, observed

Damage = Callable[[FoundVolume], FoundVolume | None]
NEW, FORMATTING, READY = DataSetState.NEW, DataSetState.FORMATTING, DataSetState.READY


def stamped(**changes: object) -> Damage:
    """With another identity."""

    def damage(found: FoundVolume) -> FoundVolume:
        assert found.identity is not None
        identity: VolumeIdentity = replace(found.identity, **changes)  # type: ignore[arg-type]  # fields by name
        return replace(found, identity=identity)

    return damage


def wiped(found: FoundVolume) -> FoundVolume:
    return replace(found, is_empty=True, version=None, has_image=False)


def never_used(found: FoundVolume) -> FoundVolume:
    return stamped(state=VolumeState.EMPTY)(wiped(found)) or found


OTHER = "99999999-9999-4999-8999-999999999999"
DAMAGE: dict[str, tuple[Damage, str]] = {
    "missing": (lambda found: None, "is missing"),
    "buried": (lambda found: replace(found, is_tombstone=True), "is missing"),
    "without identity": (lambda found: replace(found, identity=None), "no readable identity"),
    "of another data set": (stamped(data_set=OTHER, data_set_name="other"), "belongs to"),
    "a copy": (stamped(volume=OTHER), "a copy, or moved by hand"),
    "another instance's": (stamped(instance="dn7"), "a copy, or moved by hand"),
    "of another owner": (lambda found: replace(found, owner_uid=1000), "owned by uid 1000"),
    "wiped": (wiped, "was wiped"),
    "wiped but for a folder": (lambda found: replace(found, version=None, has_image=False), "no VERSION"),
    "of another cluster": (
        lambda found: replace(found, version=HdfsVersionFile("CID-other", "BP-1", -67)),
        "CID-other",
    ),
}
NO_CHECKPOINT_YET = ("wiped but for a folder", "snn1")
EXPECTED = {
    # Before the format there is nothing to lose: what is missing is made. Whatever is there and is not ours is refused.
    # A mark without a VERSION was not made by us in any state.
    NEW: set(DAMAGE) - {"missing", "buried", "of another cluster"},
    FORMATTING: set(DAMAGE) - {"missing", "buried", "of another cluster"},
    READY: set(DAMAGE),
    DataSetState.DESTROYING: set(DAMAGE) - {"missing", "buried", "of another cluster"},
}


@pytest.mark.parametrize("state", DataSetState)
@pytest.mark.parametrize("instance", ["nn1", "snn1", "dn1", "dn2"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_volume_is_refused_by_name(damage: str, instance: str, state: DataSetState) -> None:
    meant = desired(ClusterPhase.LAUNCHING, state)
    change, words = DAMAGE[damage]
    found = start_objections(meant, observed(meant, volumes={instance: change}))
    if damage not in EXPECTED[state] or (damage, instance) == NO_CHECKPOINT_YET:
        assert found == ()
        return
    claim = meant.data_set.claim(instance)
    assert claim is not None
    assert len(found) == 1
    assert isinstance(found[0], Refused)
    for word in (words, instance, claim.volume, "data set sales"):
        assert word in str(found[0])
    assert found[0].fix


@pytest.mark.parametrize("state", DataSetState)
def test_volumes_as_they_should_be_are_no_reason(state: DataSetState) -> None:
    meant = desired(ClusterPhase.LAUNCHING, state)
    assert start_objections(meant, observed(meant)) == ()


def test_an_empty_volume_is_a_reason_only_where_there_should_be_data() -> None:
    """A DataNode that never ran has an empty volume; the NameNode of data that is READY was formatted."""
    meant = desired(ClusterPhase.LAUNCHING)
    assert start_objections(meant, observed(meant, volumes={"dn1": never_used, "snn1": never_used})) == ()
    assert refusals(meant, observed(meant, volumes={"nn1": never_used})) == ["nn1"]
    for state in (NEW, FORMATTING):
        young = desired(ClusterPhase.LAUNCHING, state)
        assert start_objections(young, observed(young, volumes={"nn1": never_used})) == ()


def test_every_damaged_volume_is_listed() -> None:
    meant = desired(ClusterPhase.LAUNCHING)
    seen = observed(meant, volumes={"nn1": wiped, "dn1": DAMAGE["missing"][0], "dn2": DAMAGE["a copy"][0]})
    assert refusals(meant, seen) == ["nn1", "dn1", "dn2"]


@pytest.mark.parametrize("phase", [ClusterPhase.LAUNCHING, ClusterPhase.READY])
@pytest.mark.parametrize("damage", DAMAGE)
def test_no_plan_to_run_is_made_on_a_damaged_volume(damage: str, phase: ClusterPhase) -> None:
    meant = desired(phase)
    with pytest.raises(Refused):
        plan(meant, observed(meant, volumes={"nn1": DAMAGE[damage][0]}), IMAGES)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_cluster_can_be_stopped_and_taken_away_whatever_became_of_its_volumes(damage: str) -> None:
    for phase in (ClusterPhase.STOPPING, ClusterPhase.DELETING):
        meant = desired(phase)
        assert plan(meant, observed(meant, volumes={"nn1": DAMAGE[damage][0]}), IMAGES).steps


def test_a_volume_that_says_it_is_anothers_is_not_destroyed() -> None:
    meant = desired(ClusterPhase.DELETING)
    foreign = observed(meant, volumes={"dn1": DAMAGE["of another data set"][0]})
    objections = end_objections(meant, foreign, is_data_named=True)
    assert [type(each) for each in objections] == [Refused]
    assert "other" in str(objections[0])
    assert end_objections(meant, foreign, is_data_named=False) == ()
    nameless = observed(meant, volumes={"dn1": DAMAGE["without identity"][0]})
    assert end_objections(meant, nameless, is_data_named=True) == ()


def refusals(meant: Desired, seen: Observed) -> list[str]:
    """The instances that are named, in order."""
    found: tuple[HowdahError, ...] = start_objections(meant, seen)
    return [i.name for each in found for i in meant.instances if f" of {i.name} " in str(each)]
