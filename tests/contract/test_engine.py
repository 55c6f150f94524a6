"""The Engine contract, on the fake and on a Docker Engine."""

import fcntl
import io
import os
import pty
import secrets
import select
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import termios
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from howdah.engines.docker import DockerEngine
from howdah.engines.docker.bodies import HELPER_CAPABILITIES, instance_body
from howdah.engines.docker.connection import Connection
from howdah.engines.docker.instances import create_container
from howdah.engines.memory import MemoryEngine
from howdah.errors import Failed, NotFound, Transient
from howdah.ports.engine import InstanceSpec, Mount
from howdah.testing.engine_contract import (
    CLOSED_PORT,
    PORT,
    EngineContract,
    EnginePlace,
    play_programs,
    round_trip,
    state_of,
)
from howdah.testing.expect import eventually, refusing

CHECKOUT = Path(__file__).parents[2]

SHELL = (
    "import sys; from howdah.engines.docker import DockerEngine; sys.exit(DockerEngine().shell(sys.argv[1], ('sh',)))"
)


class TestMemoryEngine(EngineContract):
    @pytest.fixture
    def engine(self) -> MemoryEngine:
        engine = MemoryEngine(images=["howdah-test/contract:1"])
        play_programs(engine)
        return engine

    @pytest.fixture
    def place(self, engine: MemoryEngine, tmp_path: Path) -> EnginePlace:
        down = MemoryEngine()
        down.is_down = True
        return EnginePlace(
            image="howdah-test/contract:1",
            prefix="test",
            subnets="10.99",
            labels={"howdah.test": "memory"},
            folder=tmp_path,
            leave_created=engine.leave_created,
            engine_that_is_down=down,
        )

    def test_a_crash_shows_until_it_is_started_again(self, engine: MemoryEngine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "crashes", 10)
        engine.crash(spec.name, 137, out_of_memory=True)
        state = state_of(engine, spec)
        assert state is not None
        assert (state.exit_code, state.was_out_of_memory) == (137, True)
        assert engine.ensure_instance(spec)


@pytest.fixture(scope="module")
def run() -> str:
    return secrets.token_hex(3)


@pytest.fixture(scope="module")
def docker(run: str, based_engine: DockerEngine) -> Iterator[DockerEngine]:
    """A Docker Engine, where nothing of this run is left at the end."""
    engine = based_engine
    labels = {"howdah.test": run}
    try:
        yield engine
    finally:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(engine.remove, [state.name for state in engine.list(labels)]))
        for network in engine.networks():
            if network.labels.get("howdah.test") == run:
                engine.remove_network(network.name)
        for image in engine.images(f"howdah.test={run}"):
            engine.remove_image(image.reference)


@pytest.fixture(scope="module")
def image(docker: DockerEngine, run: str, base_image: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The base image with the relay in it, as in every image of howdah's own."""
    context = tmp_path_factory.mktemp("context")
    (context / "relay.py").write_text((CHECKOUT / "images/runtime/relay.py").read_text())
    (context / "Dockerfile").write_text(
        f"FROM {base_image} AS relayed\nARG WORD\nCOPY relay.py /opt/howdah/relay.py\nENV WORD=$WORD\n"
        "FROM relayed AS unused\nRUN exit 1\n"
    )
    reference = f"howdah-test/contract:{run}"
    said: list[str] = []
    docker.build_image(
        reference,
        context,
        dockerfile="Dockerfile",
        target="relayed",
        arguments={"WORD": "argued"},
        labels={"howdah.test": run},
        progress=said.append,
    )
    assert any(line.startswith("Successfully tagged") for line in said)
    return reference


@pytest.fixture(scope="module")
def docker_place(image: str, run: str) -> Iterator[EnginePlace]:
    def leave_created(spec: InstanceSpec) -> None:
        create_container(Connection(), spec.name, instance_body(spec))

    # Where the engine reaches it too: pytest's own folders may be closed to others.
    with tempfile.TemporaryDirectory(prefix="howdah-test-", ignore_cleanup_errors=True) as folder:
        yield EnginePlace(
            image=image,
            prefix=f"ht{run}",
            subnets=f"10.{128 + secrets.randbelow(100)}",
            labels={"howdah.test": run},
            folder=Path(folder),
            leave_created=leave_created,
            engine_that_is_down=DockerEngine("unix:///nonexistent/docker.sock", helper_image=lambda: image),
        )


@pytest.mark.engine
class TestDockerEngine(EngineContract):
    @pytest.fixture
    def engine(self, docker: DockerEngine) -> DockerEngine:
        return docker

    @pytest.fixture
    def place(self, docker_place: EnginePlace) -> EnginePlace:
        return docker_place

    def test_a_relay_is_as_good_as_a_route(self, engine: DockerEngine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "relayed", 50)
        relaying = DockerEngine(route="relay")
        before = set(threading.enumerate())
        assert not relaying.has_route(spec.name)
        round_trip(relaying.dial(spec.name, PORT), bytes(range(256)) * 20480)
        with refusing(Transient, spec.name, str(CLOSED_PORT)):
            relaying.dial(spec.name, CLOSED_PORT)
        # Closed without a word: the relay in the container and its threads here go away.
        relaying.dial(spec.name, PORT).close()
        eventually(lambda: set(threading.enumerate()) <= before, "the pumps to end")

        def relays() -> bytes:
            listing = (
                "import glob; files = glob.glob('/proc/[0-9]*/cmdline');"
                "print(sum(b'relay.py' in open(file, 'rb').read() for file in files))"
            )
            return engine.exec(spec.name, ("python3", "-c", listing)).stdout

        # The listing has the word in its own command line.
        eventually(lambda: relays() == b"1\n", "the relays in the container to end")

    def test_a_container_is_confined(self, engine: DockerEngine, place: EnginePlace) -> None:
        (place.folder / "mounted").mkdir()
        engine.ensure_network(place.network())
        spec = replace(
            place.spec("confined", 51),
            mounts=(Mount(str(place.folder / "mounted"), "/mounted", is_read_only=True),),
            environment={"GIVEN": "a value"},
            cpus=0.5,
        )
        engine.ensure_instance(spec)
        look = (
            "grep -E '^(CapBnd|CapEff|NoNewPrivs)' /proc/self/status; id -u; hostname; echo $GIVEN $WORD;"
            "touch /opt/x 2>&1; touch /mounted/x 2>&1; touch /tmp/x && echo tmp; grep ' /tmp ' /proc/mounts"
        )
        said = engine.exec(spec.name, ("sh", "-c", look)).stdout.decode()
        assert said.count("0000000000000000") == 2
        assert "NoNewPrivs:\t1" in said
        assert f"10001\n{spec.hostname}\na value argued\n" in said
        assert said.count("Read-only file system") == 2
        assert "\ntmp\n" in said
        assert "nosuid,nodev,noexec" in said

    def test_root_has_the_listed_capabilities_and_no_more(self, engine: DockerEngine, place: EnginePlace) -> None:
        numbers = {"CHOWN": 0, "DAC_OVERRIDE": 1, "FOWNER": 3}
        helper = engine.open_helper(str(place.folder))
        try:
            said = helper.call("print(open('/proc/self/status').read())", b"").decode()
        finally:
            helper.close()
        wanted = sum(1 << numbers[name] for name in HELPER_CAPABILITIES)
        assert f"CapEff:\t{wanted:016x}" in said
        assert f"CapBnd:\t{wanted:016x}" in said

    def test_a_run_that_does_not_end_is_ended(self, engine: DockerEngine, place: EnginePlace) -> None:
        engine.ensure_network(place.network())
        spec = place.spec("endless", 52, ("sh", "-c", "echo began; exec sleep 100"))
        with refusing(Failed, spec.name, "1 s", "began"):
            engine.run_once(spec, 1)
        assert state_of(engine, spec) is None

    def test_logs_are_followed_to_the_end(self, engine: DockerEngine, place: EnginePlace) -> None:
        engine.ensure_network(place.network())
        spec = place.spec("speaks", 53, ("sh", "-c", "echo one; echo two; sleep 0.3; echo three"))
        engine.ensure_instance(spec)
        assert list(engine.logs(spec.name, follow=True)) == ["one", "two", "three"]
        assert list(engine.logs(spec.name, tail=1)) == ["three"]
        with refusing(NotFound, "nobody"):
            engine.logs("nobody")

    def test_usage_and_capacity_are_of_this_world(self, engine: DockerEngine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "measured", 54)
        usage = engine.usage(spec.name)
        assert 2**20 < usage.memory < spec.memory
        assert 0 < usage.cpu_seconds < 10
        capacity = engine.capacity()
        assert capacity.cpus >= 1
        assert capacity.memory > 2**28
        assert capacity.cgroup in (1, 2)
        with refusing(NotFound, "nobody"):
            engine.usage("nobody")

    def test_a_command_that_is_not_there(self, engine: DockerEngine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "measured", 54)
        result = engine.exec(spec.name, ("nonexistent",))
        assert result.exit_code in (126, 127)

    def test_a_shell_works_as_a_pipe(self, engine: DockerEngine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "shell", 55)
        result = subprocess.run(
            [sys.executable, "-c", SHELL, spec.name],
            input=b"echo $((6*7)); echo bad >&2; exit 5\n",
            capture_output=True,
            check=False,
        )
        assert (result.returncode, result.stdout, result.stderr) == (5, b"42\n", b"bad\n")

    def test_a_shell_is_a_terminal_of_this_size(self, engine: DockerEngine, place: EnginePlace) -> None:
        spec = self.start(engine, place, "shell", 55)
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 31, 97, 0, 0))
        before = termios.tcgetattr(theirs)
        process = subprocess.Popen([sys.executable, "-c", SHELL, spec.name], stdin=theirs, stdout=theirs, stderr=theirs)
        seen = bytearray()

        def read_until(words: bytes) -> None:
            while words not in seen:
                assert select.select([ours], [], [], 10)[0], f"waited in vain for {words!r} in {bytes(seen)!r}"
                seen.extend(os.read(ours, 4096))

        read_until(b"$ ")  # it is in raw mode from here on
        os.write(ours, b"stty size\n")
        read_until(b"31 97")
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        process.send_signal(signal.SIGWINCH)
        eventually(lambda: self.told_size(ours, seen, b"40 120"), "the new size in the container")
        os.write(ours, b"exit 6\n")
        assert process.wait(10) == 6
        assert termios.tcgetattr(theirs) == before
        os.close(ours)
        os.close(theirs)

    @staticmethod
    def told_size(terminal: int, seen: bytearray, size: bytes) -> bool:
        os.write(terminal, b"stty size\n")
        while select.select([terminal], [], [], 0.2)[0]:
            seen.extend(os.read(terminal, 4096))
        return size in seen

    def test_a_failing_build_shows_its_last_lines(
        self, engine: DockerEngine, place: EnginePlace, base_image: str
    ) -> None:
        context = place.folder / "context"
        context.mkdir()
        (context / "Dockerfile").write_text(f"FROM {base_image}\nRUN echo the cause; exit 9\n")
        with refusing(Failed, "howdah-test/fails:1", "the cause"):
            engine.build_image(
                "howdah-test/fails:1",
                context,
                dockerfile="Dockerfile",
                target="",
                arguments={},
                labels=place.labels,
                progress=lambda line: None,
            )

    def test_a_root_file_system_becomes_an_image(self, engine: DockerEngine, place: EnginePlace) -> None:
        tar = place.folder / "rootfs.tar"
        with tarfile.open(tar, "w") as archive:
            entry = tarfile.TarInfo("etc/hello")
            entry.size = 5
            archive.addfile(entry, io.BytesIO(b"hello"))
        reference = f"howdah-test/imported:{place.prefix}"
        odd = 'a "quoted" $value\\'
        engine.import_image(reference, tar, changes=["ENV A=b"], labels={**place.labels, "howdah.odd": odd})
        try:
            found = engine.image(reference)
            assert found is not None
            assert found.labels["howdah.odd"] == odd
            assert found.labels.items() >= place.labels.items()
            assert [one.reference for one in engine.images("howdah.odd")] == [reference]
        finally:
            assert engine.remove_image(reference)
