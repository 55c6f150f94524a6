"""Typed records on a Coordinator in memory."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from howdah.coordination import paths
from howdah.coordination.memory import MemoryCoordinator, MemoryService
from howdah.coordination.records import EVENTS_KEPT, AssignmentChanges, Records, Stored
from howdah.errors import Bug, Conflict, Failed, HowdahError, Refused, Transient
from howdah.model.cluster import Assignment, Cluster, ClusterPhase, Endpoint, Network
from howdah.model.roles import Role
from howdah.model.storage import DataSet, DataSetState, VolumeClaim
from howdah.ports.coordinator import Delete, Put
from howdah.testing.concurrency import in_parallel
from howdah.units import Bytes

UUID = "9a7d3b52-6f6e-4d0e-8a9f-0c7b6f1f2a11"
NETWORK = Network("howdah-sales", "10.80.0.0/24", "10.80.0.1", "10.80.0.128/25")
CLUSTER = Cluster(
    "sales", UUID, "sales", 1, "howdah: 1\n", "sales", ClusterPhase.LAUNCHING, NETWORK, "2026-01-01T00:00:00+00:00"
)
CLAIM = VolumeClaim("1f0c", "dn1", Role.DATANODE, "here", Bytes.parse("10 GiB"))
DATA_SET = DataSet("5e1d", "sales", DataSetState.NEW, "CID-1", 1, (CLAIM,), UUID, "howdah: 1\n", last_cluster="sales")
DN1 = Assignment("dn1", Role.DATANODE, "default", "here", "10.80.0.11", 1, volume="1f0c")
RM1 = Assignment("rm1", Role.RESOURCEMANAGER, "default", "here", "10.80.0.12", 1)
ENDPOINT = Endpoint("dn1", "here", "dn1.sales.howdah", "10.80.0.11", {"http": 9864}, "2026-01-01T00:00:05+00:00")


@pytest.fixture
def service() -> MemoryService:
    return MemoryService()


@pytest.fixture
def records(service: MemoryService) -> Records:
    return Records(MemoryCoordinator(service))


@pytest.fixture
def launched(records: Records) -> Records:
    records.create_cluster(CLUSTER, (RM1, DN1), DATA_SET, None)
    records.put_endpoint("sales", ENDPOINT)
    records.add_event("sales", "2026-01-01T00:00:06+00:00", "ready")
    return records


def stored_cluster(records: Records) -> Stored[Cluster]:
    found = records.cluster("sales")
    assert found
    return found


def stored_data_set(records: Records) -> Stored[DataSet]:
    found = records.data_set("sales")
    assert found
    return found


def test_an_installation_is_made_once(service: MemoryService, records: Records) -> None:
    assert not records.is_initialised()
    installation = records.initialise()
    assert records.is_initialised()
    assert Records(MemoryCoordinator(service)).initialise() == installation


def test_initialising_after_records_were_written_makes_the_root_record(launched: Records) -> None:
    assert not launched.is_initialised()
    assert launched.initialise() == launched.initialise()


def test_a_new_cluster_reads_as_it_was_written(launched: Records) -> None:
    assert launched.clusters() == (CLUSTER,)
    assert stored_cluster(launched).value == CLUSTER
    assert launched.assignments(UUID) == (DN1, RM1)
    assert launched.data_sets() == (DATA_SET,)
    assert launched.endpoints("sales") == {"dn1": ENDPOINT}
    assert [event.text for event in launched.events("sales")] == ["ready"]


def test_what_is_not_there_is_empty(records: Records) -> None:
    for nothing in (records.clusters(), records.data_sets(), records.assignments(UUID), records.events("sales")):
        assert nothing == ()
    assert records.cluster("sales") is None
    assert records.data_set("sales") is None
    assert records.endpoints("sales") == {}


def test_a_second_cluster_of_the_name_changes_nothing(launched: Records) -> None:
    second = replace(CLUSTER, uuid="77-other", data_set="other")
    with pytest.raises(Conflict, match="/howdah/clusters/sales"):
        launched.create_cluster(second, (DN1,), replace(DATA_SET, name="other", lease="77-other"), None)
    assert launched.assignments("77-other") == ()
    assert launched.data_set("other") is None


def test_a_data_set_that_changed_since_it_was_read_is_not_taken(launched: Records) -> None:
    launched.forget_cluster("sales")
    data_set = stored_data_set(launched)
    launched.update_data_set(data_set, replace(data_set.value, state=DataSetState.DESTROYING))
    with pytest.raises(Conflict, match="/howdah/datasets/sales"):
        launched.create_cluster(CLUSTER, (DN1,), DATA_SET, data_set.version)
    assert launched.clusters() == ()


def test_a_cluster_without_its_data_sets_lease_is_a_bug(records: Records) -> None:
    with pytest.raises(Bug):
        records.create_cluster(CLUSTER, (), replace(DATA_SET, lease=""), None)


def test_updates_give_the_version_for_the_next(launched: Records) -> None:
    first = stored_cluster(launched)
    second = launched.update_cluster(first, replace(first.value, phase=ClusterPhase.READY))
    assert second == stored_cluster(launched)
    third, data_set = launched.update_both(
        second,
        replace(second.value, generation=2),
        stored_data_set(launched),
        replace(DATA_SET, state=DataSetState.READY),
    )
    assert third == stored_cluster(launched)
    assert data_set == stored_data_set(launched)
    with pytest.raises(Conflict):
        launched.update_cluster(first, first.value)


def test_of_two_updates_at_once_neither_is_done_by_half(launched: Records) -> None:
    cluster, data_set = stored_cluster(launched), stored_data_set(launched)
    launched.update_data_set(data_set, replace(DATA_SET, hadoop="3.5.0"))
    with pytest.raises(Conflict, match="datasets"):
        launched.update_both(cluster, replace(CLUSTER, generation=2), data_set, DATA_SET)
    assert stored_cluster(launched) == cluster


def test_assignments_change_with_their_cluster(launched: Records) -> None:
    old = launched.stored_assignments(UUID)
    moved, added = replace(DN1, host="there", incarnation=2), replace(DN1, instance="dn2", address="10.80.0.13")
    changes = AssignmentChanges(added=(added,), replaced=((old["dn1"], moved),), removed=(old["rm1"],))
    launched.update_cluster(stored_cluster(launched), replace(CLUSTER, generation=2), changes)
    assert launched.assignments(UUID) == (moved, added)
    with pytest.raises(Conflict, match="dn1"):
        launched.update_cluster(stored_cluster(launched), CLUSTER, AssignmentChanges(replaced=((old["dn1"], moved),)))
    assert stored_cluster(launched).value.generation == 2


def test_an_incarnation_never_falls(launched: Records) -> None:
    old = launched.stored_assignments(UUID)["dn1"]
    with pytest.raises(Bug, match="incarnation"):
        launched.update_cluster(
            stored_cluster(launched), CLUSTER, AssignmentChanges(replaced=((old, replace(DN1, incarnation=0)),))
        )


def test_a_forgotten_cluster_leaves_its_events_and_releases_its_data(service: MemoryService, launched: Records) -> None:
    assert launched.forget_cluster("sales")
    assert stored_data_set(launched).value == replace(DATA_SET, lease="")
    records = {path for path, node in service.nodes.items() if node.content is not None}
    assert records == {paths.data_set("sales"), paths.events("sales")}
    assert UUID not in "".join(service.nodes)
    assert not launched.forget_cluster("sales")
    assert launched.forget_data_set("sales")
    assert not launched.forget_data_set("sales")


def test_a_data_set_can_go_with_its_cluster(launched: Records) -> None:
    assert launched.forget_cluster("sales", with_data_set=True)
    assert launched.data_sets() == ()
    assert launched.clusters() == ()


def test_a_lease_of_another_cluster_is_left_alone(launched: Records) -> None:
    launched.update_data_set(stored_data_set(launched), replace(DATA_SET, lease="77-other"))
    assert launched.forget_cluster("sales", with_data_set=True)
    assert stored_data_set(launched).value.lease == "77-other"


def test_a_data_set_in_use_is_not_forgotten(launched: Records) -> None:
    with pytest.raises(Refused, match="sales"):
        launched.forget_data_set("sales")
    assert stored_data_set(launched).value == DATA_SET


def test_forgetting_that_is_interrupted_is_done_or_not_done(service: MemoryService, launched: Records) -> None:
    for moment in ("before", "after"):

        def fail(when: str, verb: str, at: str = moment) -> None:
            if (when, verb) == (at, "commit"):
                raise Transient("killed here")

        service.interrupt = fail
        with pytest.raises(Transient):
            launched.forget_cluster("sales")
        service.interrupt = None
        assert (
            bool(launched.clusters()) == bool(launched.assignments(UUID)) == bool(stored_data_set(launched).value.lease)
        )
    assert not launched.forget_cluster("sales")


def test_endpoints_written_by_many_threads_are_all_there(service: MemoryService) -> None:
    def put(number: int) -> None:
        client = Records(MemoryCoordinator(service))
        client.put_endpoint("sales", replace(ENDPOINT, instance=f"dn{number}"))

    in_parallel([partial(put, number) for number in range(30)])
    records = Records(MemoryCoordinator(service))
    assert set(records.endpoints("sales")) == {f"dn{number}" for number in range(30)}
    records.remove_endpoint("sales", "dn7")
    records.remove_endpoint("sales", "dn7")
    assert len(records.endpoints("sales")) == 29


def test_an_endpoint_of_a_new_run_replaces_the_old(launched: Records) -> None:
    newer = replace(ENDPOINT, started_at="2026-01-02T00:00:00+00:00")
    launched.put_endpoint("sales", newer)
    assert launched.endpoints("sales") == {"dn1": newer}


def test_the_last_events_are_kept(records: Records) -> None:
    for number in range(EVENTS_KEPT + 5):
        records.add_event("sales", "2026-01-01T00:00:00+00:00", f"event {number}")
    texts = [event.text for event in records.events("sales")]
    assert texts == [f"event {number}" for number in range(5, EVENTS_KEPT + 5)]


def test_long_events_are_cut_and_the_oldest_make_room(records: Records) -> None:
    for number in range(EVENTS_KEPT):
        records.add_event("sales", "2026-01-01T00:00:00+00:00", f"{number} " + "\N{ELEPHANT}" * 500)
    texts = [event.text for event in records.events("sales")]
    assert 100 < len(texts) < EVENTS_KEPT
    assert texts[-1].startswith(f"{EVENTS_KEPT - 1} ")
    assert {len(text) for text in texts} == {400}


ALL: dict[str, Callable[[Records], object]] = {
    paths.ROOT: lambda records: records.initialise(),
    paths.cluster("sales"): lambda records: (records.cluster("sales"), records.clusters()),
    paths.data_set("sales"): lambda records: (records.data_set("sales"), records.data_sets()),
    paths.instance(UUID, "dn1"): lambda records: records.assignments(UUID),
    paths.endpoints("sales"): lambda records: records.put_endpoint("sales", ENDPOINT),
    paths.events("sales"): lambda records: records.add_event("sales", "", ""),
}


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (
            {"schema": 2, "hats": ["top"]},
            Refused,
            "written by a newer howdah (schema 2, this one knows 1)\n  fix: upgrade howdah",
        ),
        ({"schema": 1, "hats": ["top"]}, Failed, "is malformed: unknown field 'hats'"),
        ({"schema": True}, Failed, "is malformed: its schema number is True"),
        ({"hats": []}, Failed, "is malformed: its schema number is None"),
    ],
    ids=["newer", "unknown field", "odd schema", "no schema"],
)
def test_what_cannot_be_read_is_refused_by_its_path_and_left_untouched(
    service: MemoryService,
    launched: Records,
    path: str,
    content: dict[str, object],
    error: type[HowdahError],
    message: str,
) -> None:
    launched.initialise()
    found = launched.coordinator.read(path)
    assert found
    launched.coordinator.commit(Put(path, content, found.version))
    before = dict(service.nodes)
    with pytest.raises(error) as raised:
        ALL[path](launched)
    assert f"record {path} " in str(raised.value)
    assert message in str(raised.value)
    if path in (paths.cluster("sales"), paths.data_set("sales"), paths.instance(UUID, "dn1")):
        with pytest.raises(error):
            launched.forget_cluster("sales")
    assert service.nodes == before


def test_a_record_deleted_while_all_are_read_is_passed_over(service: MemoryService, launched: Records) -> None:
    other = MemoryCoordinator(service)

    def delete(when: str, verb: str) -> None:
        if (when, verb) == ("after", "children"):
            service.interrupt = None
            found = other.read(paths.cluster("sales"))
            assert found
            other.commit(Delete(paths.cluster("sales"), found.version))

    service.interrupt = delete
    assert launched.clusters() == ()


def test_the_lock_says_who_and_what(service: MemoryService, launched: Records) -> None:
    fence = launched.lock("sales", "launch", 0, lambda _: None)
    with pytest.raises(Conflict, match=r"sales is held by .* since .*, doing launch"):
        Records(MemoryCoordinator(service)).lock("sales", "delete", 0, lambda _: None)
    fence.release()
