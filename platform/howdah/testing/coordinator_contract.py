"""What holds for every Coordinator. Subclass it and give a ``rig``."""

import contextlib
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

import pytest

from howdah.coordination import paths
from howdah.coordination.holder import this_process
from howdah.errors import Conflict, Fenced, Transient, UserError
from howdah.ports.coordinator import Coordinator, Delete, Fence, Holder, Put, Session
from howdah.testing.concurrency import in_parallel, meanwhile, wait_until


class Rig(Protocol):
    """A service, as many clients of it as wanted, and a hand on what lies between."""

    def client(self) -> Coordinator:
        """One more client; closed when the test ends."""
        ...

    def cut(self, client: Coordinator) -> None:
        """The client's connection breaks, its session does not; it connects again by itself soon."""
        ...

    def silence(self) -> None:
        """The service answers nobody."""
        ...

    def outlast_sessions(self) -> None:
        """The silence lasts longer than any session does without a word."""
        ...

    def answer(self) -> None:
        """The service answers again."""
        ...

    def lock_of_a_killed_process(self, path: str) -> Holder:
        """A lock whose holder was killed, while the service still counts it as held."""
        ...


def never_waits(holder: Holder) -> None:
    """For a lock that must be had without waiting for anybody."""
    pytest.fail(f"had to wait for {holder}")


class CoordinatorContract:
    """The suite. Every test has a folder of its own, ``name``."""

    @pytest.fixture
    def name(self) -> str:
        """A name that no other test uses."""
        return f"test-{uuid.uuid4().hex[:12]}"

    @pytest.fixture
    def one(self, rig: Rig) -> Coordinator:
        """A client."""
        return rig.client()

    @pytest.fixture
    def other(self, rig: Rig) -> Coordinator:
        """Another client."""
        return rig.client()

    # Records and versions

    def test_a_record_reads_as_it_was_written(self, one: Coordinator, other: Coordinator, name: str) -> None:
        value = {"text": "größer ✓", "number": 3, "none": None, "list": [1, {"a": True}], "half": 0.5}
        one.commit(Put(paths.cluster(name), value, None))
        found = other.read(paths.cluster(name))
        assert found
        assert found.value == value

    def test_what_is_not_there_is_none_and_has_no_children(self, one: Coordinator, name: str) -> None:
        assert one.read(paths.cluster(name)) is None
        assert one.children(paths.instances(name)) == ()

    def test_a_write_names_the_version_that_it_replaces(self, one: Coordinator, other: Coordinator, name: str) -> None:
        path = paths.cluster(name)
        one.commit(Put(path, {"n": 1}, None))
        found = other.read(path)
        assert found
        one.commit(Put(path, {"n": 2}, found.version))
        with pytest.raises(Conflict, match=path):
            other.commit(Put(path, {"n": 3}, found.version))
        newer = other.read(path)
        assert newer
        assert newer.value == {"n": 2}
        assert newer.version == found.version + 1

    def test_a_create_of_what_is_there_is_a_conflict(self, one: Coordinator, name: str) -> None:
        path = paths.cluster(name)
        one.commit(Put(path, {"n": 1}, None))
        with pytest.raises(Conflict, match=path):
            one.commit(Put(path, {"n": 1}, None))

    def test_a_change_or_delete_of_what_is_gone_is_a_conflict(self, one: Coordinator, name: str) -> None:
        path = paths.cluster(name)
        for change in (Put(path, {}, 0), Delete(path, 0)):
            with pytest.raises(Conflict, match=path):
                one.commit(change)
        assert one.read(path) is None

    def test_a_delete_names_the_version_too(self, one: Coordinator, name: str) -> None:
        path = paths.cluster(name)
        one.commit(Put(path, {}, None))
        found = one.read(path)
        assert found
        one.commit(Put(path, {"n": 1}, found.version))
        with pytest.raises(Conflict, match=path):
            one.commit(Delete(path, found.version))
        one.commit(Delete(path, found.version + 1))
        assert one.read(path) is None

    def test_what_was_read_cannot_change_the_record(self, one: Coordinator, name: str) -> None:
        path, value = paths.cluster(name), {"list": [1]}
        one.commit(Put(path, value, None))
        value["list"].append(2)
        found = one.read(path)
        assert found
        found.value["list"].append(3)
        again = one.read(path)
        assert again
        assert again.value == {"list": [1]}

    # Transactions

    def test_a_transaction_is_all_or_nothing(self, one: Coordinator, name: str) -> None:
        kept, new = paths.cluster(name), paths.data_set(name)
        one.commit(Put(kept, {"n": 1}, None))
        with pytest.raises(Conflict, match=kept):
            one.commit(Put(new, {}, None), Put(kept, {"n": 2}, 7))
        assert one.read(new) is None
        found = one.read(kept)
        assert found
        one.commit(Put(new, {}, None), Put(kept, {"n": 2}, found.version))
        assert one.read(new)

    def test_parents_are_made_and_are_no_records(self, one: Coordinator, name: str) -> None:
        one.commit(Put(paths.instance(name, "dn2"), {}, None), Put(paths.instance(name, "dn1"), {}, None))
        assert one.children(paths.instances(name)) == ("dn1", "dn2")
        assert one.read(paths.instances(name)) is None
        one.commit(Put(paths.instances(name), {"n": 1}, None))
        found = one.read(paths.instances(name))
        assert found
        assert found.value == {"n": 1}

    def test_a_record_and_those_below_it_go_together(self, one: Coordinator, name: str) -> None:
        folder, below = paths.instances(name), paths.instance(name, "dn1")
        one.commit(Put(folder, {}, None), Put(below, {}, None))
        with pytest.raises(Conflict, match=folder):
            one.commit(Delete(folder, 0))
        one.commit(Delete(below, 0), Delete(folder, 0))
        assert one.read(folder) is None

    def test_of_two_who_create_the_same_one_wins(self, rig: Rig, name: str) -> None:
        clients = [rig.client() for _ in range(4)]
        for round_number in range(10):
            put = Put(paths.instance(name, f"dn{round_number}"), {"same": "content"}, None)
            together = threading.Barrier(len(clients), timeout=10)
            with ThreadPoolExecutor(len(clients)) as threads:
                outcomes = [threads.submit(_wins, client, put, together) for client in clients]
                assert sorted(outcome.result(60) for outcome in outcomes) == [False, False, False, True]

    def test_a_counter_that_many_raise_misses_none(self, rig: Rig, name: str) -> None:
        path, clients = paths.cluster(name), [rig.client() for _ in range(3)]
        clients[0].commit(Put(path, {"n": 0}, None))

        def raise_it(client: Coordinator) -> None:
            done = 0
            while done < 10:
                found = client.read(path)
                assert found
                with contextlib.suppress(Conflict):
                    client.commit(Put(path, {"n": found.value["n"] + 1}, found.version))
                    done += 1

        in_parallel([partial(raise_it, client) for client in clients])
        found = clients[0].read(path)
        assert found
        assert found.value == {"n": 30}

    def test_a_record_over_256_kib_is_refused_before_anything_is_done(self, one: Coordinator, name: str) -> None:
        one.commit(Put(paths.cluster(name), {"text": "x" * (256 * 1024 - 20)}, None))
        with pytest.raises(UserError, match="256 KiB"):
            one.commit(
                Put(paths.endpoints(name), {}, None), Put(paths.data_set(name), {"text": "x" * 256 * 1024}, None)
            )
        assert one.read(paths.endpoints(name)) is None

    def test_a_tree_is_deleted_whole(self, one: Coordinator, name: str) -> None:
        folder = paths.instances(name)
        one.commit(Put(folder, {}, None), *(Put(f"{folder}/dn{n}/deep/er", {}, None) for n in range(5)))
        assert one.delete_tree(folder)
        assert one.children(folder) == ()
        assert one.read(folder) is None
        assert not one.delete_tree(folder)

    # Locks

    def test_a_lock_excludes_other_clients_and_says_who_has_it(
        self, one: Coordinator, other: Coordinator, name: str
    ) -> None:
        path, told = paths.lock(name), list[Holder]()
        holder = this_process("launch", who="ann@desk")
        fence = one.lock(path, holder, 0, never_waits)
        with pytest.raises(Conflict, match=f"{name} is held by ann@desk since .*, doing launch"):
            other.lock(path, this_process("delete"), 0.5, told.append)
        assert told == [holder]
        fence.check()
        fence.release()
        # And who gave up waiting does not stand in the way.
        other.lock(path, this_process("delete"), 0, never_waits).check()

    def test_released_twice_a_lock_is_nobody_elses_trouble(
        self, one: Coordinator, other: Coordinator, name: str
    ) -> None:
        first = one.lock(paths.lock(name), this_process("launch"), 0, never_waits)
        first.release()
        second = other.lock(paths.lock(name), this_process("delete"), 0, never_waits)
        first.release()
        second.check()
        with pytest.raises(Fenced):
            first.check()

    def test_locks_of_different_names_are_different(self, one: Coordinator, name: str) -> None:
        one.lock(paths.lock(name), this_process("a"), 0, never_waits)
        one.lock(paths.lock(f"{name}-2"), this_process("b"), 0, never_waits)

    def test_a_lock_excludes_threads_of_one_client(self, one: Coordinator, name: str) -> None:
        inside, most = 0, 0

        def enter() -> None:
            nonlocal inside, most
            for _ in range(3):
                fence = one.lock(paths.lock(name), this_process("count"), 60, lambda _: None)
                inside += 1
                most = max(most, inside)
                time.sleep(0.005)
                inside -= 1
                fence.release()

        in_parallel([enter] * 4)
        assert most == 1

    def test_who_waits_is_told_once_for_each_holder_and_comes_in_order(self, rig: Rig, name: str) -> None:
        path = paths.lock(name)
        holders = [this_process(what) for what in ("first", "second", "third")]
        fences: dict[str, Fence] = {}
        told: dict[str, list[str]] = {"second": [], "third": []}

        def take(client: Coordinator, holder: Holder) -> None:
            fences[holder.what] = client.lock(path, holder, 60, lambda seen: told[holder.what].append(seen.what))

        take(rig.client(), holders[0])
        with meanwhile(lambda: take(rig.client(), holders[1])):
            wait_until(lambda: told["second"] == ["first"], "the second is told of the first")
            with meanwhile(lambda: take(rig.client(), holders[2])):
                wait_until(lambda: told["third"] == ["first"], "the third is told of the first")
                fences["first"].release()
                wait_until(lambda: told["third"] == ["first", "second"], "the third is told of the second")
                assert "third" not in fences
                fences["second"].release()
        fences["third"].check()
        assert told == {"second": ["first"], "third": ["first", "second"]}

    def test_a_dead_holder_of_this_machine_is_put_aside_at_once(self, rig: Rig, one: Coordinator, name: str) -> None:
        rig.lock_of_a_killed_process(paths.lock(name))
        began = time.monotonic()
        one.lock(paths.lock(name), this_process("delete"), 0, never_waits).check()
        assert time.monotonic() - began < 3

    def test_closing_gives_the_locks_back(self, one: Coordinator, other: Coordinator, name: str) -> None:
        one.lock(paths.lock(name), this_process("launch"), 0, never_waits)
        one.close()
        other.lock(paths.lock(name), this_process("delete"), 10, lambda _: None).check()

    # The session

    def test_a_short_break_leaves_the_lock(self, rig: Rig, one: Coordinator, name: str) -> None:
        fence = one.lock(paths.lock(name), this_process("launch"), 0, never_waits)
        rig.cut(one)
        assert one.read(paths.cluster(name)) is None
        assert one.session() is Session.CONNECTED
        fence.check()

    def test_a_fence_does_not_hold_after_its_session(self, rig: Rig, name: str) -> None:
        one, other = rig.client(), rig.client()
        fence = one.lock(paths.lock(name), this_process("launch"), 0, never_waits)
        fence.check()
        rig.silence()
        wait_until(lambda: one.session() is Session.SUSPENDED, "suspended")
        with pytest.raises(Fenced):
            fence.check()
        rig.outlast_sessions()
        wait_until(lambda: one.session() is Session.LOST, "lost")
        with pytest.raises(Fenced, match=name):
            fence.check()
        rig.answer()
        wait_until(lambda: one.session() is other.session() is Session.CONNECTED, "connected again")
        with pytest.raises(Fenced):
            fence.check()
        fence.release()
        other.lock(paths.lock(name), this_process("delete"), 30, lambda _: None).check()

    def test_a_service_that_does_not_answer_is_transient(self, rig: Rig, name: str) -> None:
        one = rig.client()
        rig.silence()
        wait_until(lambda: one.session() is not Session.CONNECTED, "not connected")
        calls: tuple[Callable[[], object], ...] = (
            lambda: one.read(paths.cluster(name)),
            lambda: one.commit(Put(paths.cluster(name), {}, None)),
            lambda: one.lock(paths.lock(name), this_process("launch"), 1, never_waits),
        )

        def fails(call: Callable[[], object]) -> None:
            with pytest.raises(Transient):
                call()

        in_parallel([partial(fails, call) for call in calls])
        rig.answer()
        wait_until(lambda: one.session() is Session.CONNECTED, "connected again")
        # The lock that nobody got does not stand in the way for longer than it takes to clear away.
        rig.client().lock(paths.lock(name), this_process("delete"), 30, lambda _: None).check()

    # Watches

    def test_a_watch_fires_for_the_path_and_its_children_until_stopped(
        self, one: Coordinator, other: Coordinator, name: str
    ) -> None:
        folder, child = paths.instances(name), paths.instance(name, "dn1")
        fired = threading.Event()
        stop = one.watch(folder, fired.set)
        changes = (
            Put(folder, {}, None),
            Put(folder, {"n": 1}, 0),
            Put(child, {}, None),
            Put(child, {"n": 1}, 0),
            Delete(child, 1),
            Delete(folder, 1),
        )
        for change in changes:
            fired.clear()
            other.commit(change)
            assert fired.wait(10), change
            settle(fired)
        stop()
        seen_by_another = threading.Event()
        stop_another = one.watch(folder, seen_by_another.set)
        fired.clear()
        other.commit(Put(folder, {}, None))
        assert seen_by_another.wait(10)
        assert not fired.is_set()
        stop_another()

    def test_a_watch_outlives_a_broken_connection(
        self, rig: Rig, one: Coordinator, other: Coordinator, name: str
    ) -> None:
        fired = threading.Event()
        stop = one.watch(paths.cluster(name), fired.set)
        rig.cut(one)
        other.commit(Put(paths.cluster(name), {}, None))
        assert fired.wait(10)
        settle(fired)
        found = other.read(paths.cluster(name))
        assert found
        other.commit(Put(paths.cluster(name), {"n": 1}, found.version))
        assert fired.wait(10)
        stop()


def _wins(client: Coordinator, put: Put, together: threading.Barrier) -> bool:
    together.wait()
    try:
        client.commit(put)
    except Conflict:
        return False
    return True


def settle(fired: threading.Event) -> None:
    """Until a watch is quiet: a change of a child's list and of the child itself may be two calls."""
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < 0.3:
        if fired.wait(0.05):
            fired.clear()
            quiet_since = time.monotonic()
