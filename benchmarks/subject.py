"""What is measured: clusters that come and go, ours or stock, used as a user would."""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.stock import StockInstallation
from howdah.app import Installation
from howdah.client import Client
from howdah.model.cluster import container_name
from howdah.model.job import JobSpec, JobState
from howdah.planning.plan import Step
from howdah.reconcile.progress import Silent

Settings = Mapping[str, Mapping[str, str]]
DAEMONS = ("nn1", "dn1", "dn2", "rm1", "nm1", "nm2")
"""The six of ``small`` that a cluster cannot do without."""
REGISTRY = "howdah-registry"


@dataclass
class Options:
    """What a run was asked for. ``quick`` is for trying a benchmark out: as little as makes sense of everything."""

    runs: int
    quick: bool
    say: Callable[[str], None]

    def size(self, real: int, quick: int) -> int:
        """The size of something."""
        return quick if self.quick else real


@dataclass
class Timed(Silent):
    """Keeps how long each step took, and when it was done, in seconds from the beginning."""

    begun: float = field(default_factory=time.monotonic)
    steps: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def done(self, step: Step, seconds: float) -> None:
        """A step is done."""
        with self._lock:
            self.steps[step.key] = (time.monotonic() - self.begun - seconds, seconds)

    def failed(self, step: Step, error: Exception) -> None:
        """A step failed."""
        raise SystemExit(f"{step}: {error}")


@dataclass
class Subject:
    """A cluster that is ready."""

    client: Client
    name: str
    seconds: float
    steps: Mapping[str, tuple[float, float]]
    """When each step of the launch began, and how long it took."""
    cpu: Mapping[str, float]
    """CPU seconds of each instance until the cluster was ready."""

    def memory(self, container: str) -> int:
        """Bytes without the page cache."""
        return int(self.client.installation.engine.usage(container).memory)

    def container(self, instance: str) -> str:
        """Its name on the engine."""
        return container_name(self.name, instance)

    def inside(self, instance: str, *argv: str) -> str:
        """The output of a command in an instance; it must end well."""
        stream = self.client.exec(self.name, instance, argv)
        said = [(is_error, piece) for is_error, piece in stream]
        text = b"".join(piece for is_error, piece in said if not is_error).decode(errors="replace")
        if stream.exit_code():
            errors = b"".join(piece for is_error, piece in said if is_error).decode(errors="replace")
            raise SystemExit(f"{' '.join(argv)} in {instance}: {errors[-2000:]}")
        return text

    def job(self, spec: JobSpec) -> float:
        """Run a job to its end; how long that took from here."""
        begun = time.monotonic()
        job = self.client.jobs.submit(self.name, spec)
        outcome = self.client.jobs.wait(job.id)
        seconds = time.monotonic() - begun
        if outcome.state is not JobState.SUCCEEDED:
            raise SystemExit(outcome.sentence)
        return seconds

    def howdah(self, *argv: str) -> float:
        """How long the command line took."""
        return seconds_of(str(Path(sys.executable).with_name("howdah")), *argv)


def seconds_of(*argv: str) -> float:
    """How long a command took; it must end well."""
    begun = time.monotonic()
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begun
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)}: {done.stderr[-2000:]}")
    return seconds


@contextmanager
def launched(
    name: str, settings: Settings | None = None, *, is_stock: bool = False, jvm: str = "quick"
) -> Iterator[Subject]:
    """``small`` while it is there. Its data goes with it."""
    text = json.dumps({"howdah": 1, "name": name, "extends": "small", "jvm": jvm, "configuration": settings or {}})
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.yaml"
        file.write_text(text)  # JSON is YAML
        timed = Timed()
        installation = StockInstallation() if is_stock else Installation()
        with Client(installation, timed) as client:
            try:
                timed.begun = time.monotonic()
                client.launch(str(file))
                seconds = time.monotonic() - timed.begun
                engine = client.installation.engine
                cpu = {i: engine.usage(container_name(name, i)).cpu_seconds for i in (*DAEMONS, "gw1")}
                subject = Subject(client, name, seconds, dict(timed.steps), cpu)
                _check_flags(subject, is_stock=is_stock, jvm=jvm)
                yield subject
            finally:
                client.delete(name, destroys_data=True)


_LOOK = """
for process in /proc/[0-9]*; do
    [ "$(cat $process/comm)" = java ] || continue
    tr '\\0' ' ' <$process/cmdline
    grep -q /opt/howdah/jvm/ $process/maps && echo archive
    exit 0
done
"""


def _check_flags(subject: Subject, *, is_stock: bool, jvm: str) -> None:
    """That stock is really stock, and ours really ours, by what the kernel says of the processes."""
    meant = {"archive": not is_stock, "-XX:TieredStopAtLevel=1": jvm == "quick" and not is_stock}
    for instance in DAEMONS:
        found = subject.inside(instance, "sh", "-c", _LOOK).split()
        if {word: word in found for word in meant} != meant:
            raise SystemExit(f"{subject.name} {instance} is not what was meant: {' '.join(found)}")
