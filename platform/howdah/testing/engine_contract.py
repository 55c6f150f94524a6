"""What every Engine must do. Subclass it in a test module, with fixtures ``engine`` and ``place``."""

import hashlib
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from howdah.engines.memory import MemoryEngine, Serve
from howdah.errors import Conflict, Failed, NotFound, Refused, Transient, UserError
from howdah.ports.engine import Engine, ExecResult, InstanceSpec, InstanceState, Mount, NetworkSpec, Phase
from howdah.testing.expect import eventually, refusing
from howdah.units import Bytes

PORT = 7000
CLOSED_PORT = 7001
SERVER = (
    "python3",
    "-c",
    f"""
import hashlib, signal, socket, sys, threading
signal.signal(signal.SIGTERM, lambda *_: sys.exit({128 + signal.SIGTERM}))
server = socket.create_server(("0.0.0.0", {PORT}))
print("ready", flush=True)
def serve(connection):
    received = bytearray()
    while piece := connection.recv(65536):
        received += piece
    connection.sendall(hashlib.sha256(received).hexdigest().encode() + received)
    connection.close()
while True:
    threading.Thread(target=serve, args=server.accept()[:1], daemon=True).start()
""",
)
"""Answers a connection, when its sending side is closed, with the SHA-256 and all that it received."""
ENDS_AT_ONCE = ("sh", "-c", "exit 7")
SPEAKS = ("sh", "-c", "echo out; echo err >&2; exit 3")
COPIES = ("cat",)


@dataclass(frozen=True)
class EnginePlace:
    """Where the contract is tried. ``subnets`` is the first two numbers of addresses that nothing else uses."""

    image: str
    prefix: str
    subnets: str
    labels: dict[str, str]
    folder: Path
    leave_created: Callable[[InstanceSpec], None]
    engine_that_is_down: Engine

    def network(self, number: int = 0) -> NetworkSpec:
        """A network of its own for each number."""
        base = f"{self.subnets}.{number}"
        return NetworkSpec(f"{self.prefix}-{number}", f"{base}.0/24", f"{base}.1", f"{base}.128/25", self.labels)

    def spec(self, instance: str, host: int, command: tuple[str, ...] = SERVER) -> InstanceSpec:
        """A container on network 0 with a fixed address."""
        return InstanceSpec(
            name=f"{self.prefix}-{instance}",
            image=self.image,
            command=command,
            hostname=f"{instance}.{self.prefix}.howdah",
            network=self.network().name,
            labels={**self.labels, "howdah.test.instance": instance},
            memory=Bytes(128 * 2**20),
            address=f"{self.subnets}.0.{host}",
            stop_timeout=2,
        )


def play_programs(engine: MemoryEngine) -> None:
    """Make the fake do what the programs above do."""

    def serve(connection: socket.socket) -> None:
        received = bytearray()
        while piece := connection.recv(65536):
            received += piece
        connection.sendall(hashlib.sha256(received).hexdigest().encode() + received)

    def on_dial(name: str, port: int) -> Serve | None:
        return serve if port == PORT else None

    def on_exec(name: str, argv: tuple[str, ...], stdin: bytes) -> ExecResult:
        return ExecResult(3, b"out\n", b"err\n") if argv == SPEAKS else ExecResult(0, stdin, b"")

    engine.on_start = lambda spec: 7 if spec.command == ENDS_AT_ONCE else None
    engine.on_run = lambda spec: ExecResult(3, b"out\n", b"err\n")
    engine.on_exec = on_exec
    engine.on_dial = on_dial


def round_trip(connection: socket.socket, sent: bytes) -> None:
    """Send it all, close that side, and have the answer agree to the last byte."""
    connection.settimeout(30)

    def send() -> None:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    received = bytearray()
    while piece := connection.recv(65536):
        received += piece
    sender.join()
    connection.close()
    assert bytes(received[:64]).decode() == hashlib.sha256(sent).hexdigest()
    assert bytes(received[64:]) == sent


def state_of(engine: Engine, spec: InstanceSpec) -> InstanceState | None:
    """The container of a spec, as the engine lists it."""
    return next((one for one in engine.list(spec.labels) if one.name == spec.name), None)


class EngineContract:
    """One test for each promise of ``howdah.ports.engine.Engine``."""

    def start(self, engine: Engine, place: EnginePlace, instance: str, host: int) -> InstanceSpec:
        """A running server."""
        engine.ensure_network(place.network())
        spec = place.spec(instance, host)
        engine.ensure_instance(spec)
        self.await_server(engine, spec)
        return spec

    def test_a_network_is_made_once_and_removed_once(self, engine: Engine, place: EnginePlace) -> None:
        spec = place.network(1)
        assert engine.ensure_network(spec)
        assert not engine.ensure_network(spec)
        found = next(one for one in engine.networks() if one.name == spec.name)
        assert found.subnets == (spec.subnet,)
        assert found.labels == spec.labels
        assert engine.remove_network(spec.name)
        assert not engine.remove_network(spec.name)

    def test_a_network_of_somebody_else_is_a_conflict(self, engine: Engine, place: EnginePlace) -> None:
        spec = place.network(2)
        engine.ensure_network(spec)
        with refusing(Conflict, spec.name, "somebody"):
            engine.ensure_network(replace(spec, labels={**spec.labels, "owner": "somebody"}))
        with refusing(Conflict, spec.name, f"{place.subnets}.3.0/24"):
            engine.ensure_network(replace(place.network(3), name=spec.name))

    def test_an_overlapping_subnet_names_its_owner(self, engine: Engine, place: EnginePlace) -> None:
        engine.ensure_network(place.network(4))
        with refusing(UserError, place.network(4).name, place.network(4).subnet):
            engine.ensure_network(replace(place.network(4), name=f"{place.prefix}-other"))

    def test_a_network_in_use_is_not_removed(self, engine: Engine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "user", 10)
        with refusing(Failed, spec.name):
            engine.remove_network(spec.network)

    def test_an_instance_is_started_once_and_listed_as_it_is(self, engine: Engine, place: EnginePlace) -> None:
        engine.ensure_network(place.network())
        spec = place.spec("dn1", 11)
        assert engine.ensure_instance(spec)
        assert not engine.ensure_instance(spec)
        state = state_of(engine, spec)
        assert state is not None
        assert (state.phase, state.address, state.image) == (Phase.RUNNING, spec.address, spec.image)
        assert dict(state.labels).items() >= dict(spec.labels).items()
        assert state.started_at
        assert state.exit_code is None

    def test_listing_takes_an_empty_value_for_any(self, engine: Engine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "listed", 12)
        names = [one.name for one in engine.list({**place.labels, "howdah.test.instance": ""})]
        assert spec.name in names
        assert engine.list({**place.labels, "howdah.test.instance": "nobody"}) == ()

    def test_an_instance_keeps_its_address_over_a_restart(self, engine: Engine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "keeps", 13)
        before = state_of(engine, spec)
        assert engine.stop(spec.name, 5)
        assert not engine.stop(spec.name, 5)
        stopped = state_of(engine, spec)
        assert stopped is not None
        assert (stopped.phase, stopped.address, stopped.exit_code) == (Phase.EXITED, spec.address, 143)
        assert engine.ensure_instance(spec)
        after = state_of(engine, spec)
        assert before is not None
        assert after is not None
        assert after.address == before.address
        assert after.started_at != before.started_at

    def test_other_labels_are_a_conflict_that_names_both(self, engine: Engine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "labelled", 14)
        with refusing(Conflict, spec.name, "'1'", "labelled"):
            engine.ensure_instance(replace(spec, labels={**spec.labels, "incarnation": "1"}))
        with refusing(Conflict, spec.name):
            engine.run_once(replace(spec, labels={**spec.labels, "incarnation": "1"}), 10)

    def test_an_address_in_use_names_its_owner_and_leaves_nothing(self, engine: Engine, place: EnginePlace) -> None:
        owner = self.start(engine, place, "owner", 15)
        spec = place.spec("late", 15)
        with refusing(Conflict, owner.name, owner.address, spec.name):
            engine.ensure_instance(spec)
        assert state_of(engine, spec) is None

    def test_a_missing_mount_is_refused_and_not_made(self, engine: Engine, place: EnginePlace) -> None:
        engine.ensure_network(place.network())
        missing = place.folder / "missing"
        spec = replace(place.spec("mounts", 16), mounts=(Mount(str(missing), "/volume/data"),))
        with refusing(Refused, str(missing), spec.name):
            engine.ensure_instance(spec)
        assert not missing.exists()
        assert state_of(engine, spec) is None

    def test_a_missing_image_and_a_missing_network_are_named(self, engine: Engine, place: EnginePlace) -> None:
        engine.ensure_network(place.network())
        spec = place.spec("lacks", 17)
        with refusing(NotFound, "howdah-test/nowhere:1"):
            engine.ensure_instance(replace(spec, image="howdah-test/nowhere:1"))
        with refusing(NotFound, "howdah-test-nowhere"):
            engine.ensure_instance(replace(spec, network="howdah-test-nowhere"))
        assert state_of(engine, spec) is None

    def test_one_that_was_created_and_never_started_is_started(self, engine: Engine, place: EnginePlace) -> None:
        engine.ensure_network(place.network())
        spec = place.spec("created", 18)
        place.leave_created(spec)
        left = state_of(engine, spec)
        assert left is not None
        assert (left.phase, left.started_at, left.exit_code) == (Phase.CREATED, "", None)
        assert engine.ensure_instance(spec)
        state = state_of(engine, spec)
        assert state is not None
        assert (state.phase, state.address) == (Phase.RUNNING, spec.address)

    def test_one_whose_network_was_made_anew_is_started(self, engine: Engine, place: EnginePlace) -> None:
        network = place.network(5)
        engine.ensure_network(network)
        spec = replace(place.spec("moved", 19), network=network.name, address=f"{place.subnets}.5.19")
        engine.ensure_instance(spec)
        engine.stop(spec.name, 0)
        engine.remove_network(network.name)
        engine.ensure_network(network)
        assert engine.ensure_instance(spec)
        state = state_of(engine, spec)
        assert state is not None
        assert (state.phase, state.address) == (Phase.RUNNING, spec.address)

    def test_the_exit_code_of_one_that_ended_is_listed(self, engine: Engine, place: EnginePlace) -> None:
        engine.ensure_network(place.network())
        spec = place.spec("ends", 20, ENDS_AT_ONCE)
        engine.ensure_instance(spec)

        def has_ended() -> bool:
            state = state_of(engine, spec)
            return state is not None and (state.phase, state.exit_code) == (Phase.EXITED, 7)

        eventually(has_ended, f"{spec.name} to end with 7")

    def test_removing_is_done_once(self, engine: Engine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "removed", 21)
        assert engine.remove(spec.name)
        assert not engine.remove(spec.name)
        assert not engine.stop(spec.name, 1)
        assert state_of(engine, spec) is None

    def test_a_run_returns_what_it_said_and_is_gone(self, engine: Engine, place: EnginePlace) -> None:
        engine.ensure_network(place.network())
        spec = place.spec("once", 22, SPEAKS)
        assert engine.run_once(spec, 30) == ExecResult(3, b"out\n", b"err\n")
        assert state_of(engine, spec) is None

    def test_what_a_killed_run_has_left_does_not_hinder_the_next(self, engine: Engine, place: EnginePlace) -> None:
        engine.ensure_network(place.network())
        spec = place.spec("again", 23, SPEAKS)
        place.leave_created(spec)
        assert engine.run_once(spec, 30).exit_code == 3
        assert state_of(engine, spec) is None

    def test_a_command_gets_all_of_its_input(self, engine: Engine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "exec", 24)
        sent = bytes(range(256)) * 8192
        result = engine.exec(spec.name, COPIES, stdin=sent)
        assert (result.exit_code, result.stderr) == (0, b"")
        assert result.stdout == sent
        assert engine.exec(spec.name, SPEAKS) == ExecResult(3, b"out\n", b"err\n")

    def test_a_command_is_followed(self, engine: Engine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "follow", 28)
        stream = engine.exec_stream(spec.name, COPIES)
        stream.write(b"one ")
        stream.write(b"two")
        stream.close_stdin()
        assert b"".join(piece for is_error, piece in stream if not is_error) == b"one two"
        assert stream.exit_code() == 0

    def test_a_command_needs_a_running_container(self, engine: Engine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "absent", 25)
        engine.stop(spec.name, 5)
        with refusing(Transient, spec.name):
            engine.exec(spec.name, COPIES)
        with refusing(NotFound, f"{place.prefix}-nobody"):
            engine.exec(f"{place.prefix}-nobody", COPIES)

    def test_a_port_is_dialled_and_each_side_closes_for_itself(self, engine: Engine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "dialled", 26)
        round_trip(engine.dial(spec.name, PORT), bytes(range(256)) * 20480)

    def test_a_port_on_which_nothing_listens_is_transient(self, engine: Engine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "dialled", 26)
        began = time.monotonic()
        with refusing(Transient, spec.name, str(CLOSED_PORT)):
            engine.dial(spec.name, CLOSED_PORT)
        assert time.monotonic() - began < 5

    def test_dialling_one_that_does_not_run_is_transient(self, engine: Engine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "silent", 27)
        engine.stop(spec.name, 5)
        with refusing(Transient, spec.name):
            engine.dial(spec.name, PORT)
        with refusing(Transient, f"{place.prefix}-nobody"):
            engine.dial(f"{place.prefix}-nobody", PORT)

    def test_root_works_in_a_folder_that_is_made_for_it(self, engine: Engine, place: EnginePlace) -> None:
        root = place.folder / "root"
        helper = engine.open_helper(str(root))
        try:
            program = f"import sys; open({str(root / 'made')!r}, 'w').write(sys.stdin.read()); print('done')"
            assert helper.call(program, b"request") == b"done\n"
            assert (root / "made").read_text() == "request"
            with refusing(Failed, "no such luck"):
                helper.call("raise SystemExit('no such luck')", b"")
        finally:
            helper.close()
        with refusing(Transient):
            helper.call("print()", b"")

    def test_an_image_that_is_not_there(self, engine: Engine, place: EnginePlace) -> None:
        assert engine.image("howdah-test/nowhere:1") is None
        assert not engine.remove_image("howdah-test/nowhere:1")
        found = engine.image(place.image)
        assert found is not None
        assert found.digest
        assert found.layers

    def test_an_engine_that_does_not_answer_is_transient(self, place: EnginePlace) -> None:
        engine = place.engine_that_is_down
        spec = place.spec("down", 30)
        with refusing(Transient):
            engine.list({})
        with refusing(Transient):
            engine.ensure_instance(spec)
        with refusing(Transient):
            engine.dial(spec.name, PORT)
        with refusing(Transient):
            engine.open_helper(str(place.folder / "down"))

    def test_eight_threads_share_an_engine(self, engine: Engine, place: EnginePlace) -> None:
        engine.ensure_network(place.network())
        specs = [place.spec(f"thread{number}", 40 + number % 4) for number in range(4)] * 2

        def use(number: int) -> bool:
            spec = specs[number]
            changed = engine.ensure_instance(spec)
            assert engine.exec(spec.name, COPIES, stdin=str(number).encode()).stdout == str(number).encode()
            assert len(engine.list(spec.labels)) == 1
            return changed

        with ThreadPoolExecutor(8) as threads:
            changes = list(threads.map(use, range(8)))
        # Two of one name at the same moment may both have started it.
        assert sum(changes) >= 4
        for spec in specs[:4]:
            assert engine.remove(spec.name)

    def await_server(self, engine: Engine, spec: InstanceSpec) -> None:
        """Until it accepts connections."""

        def answers() -> bool:
            try:
                engine.dial(spec.name, PORT).close()
            except Transient:
                return False
            return True

        eventually(answers, f"{spec.name} to listen on {PORT}")
