"""A small images folder like the shipped one, and an engine that remembers what was built from what."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from howdah.engines.memory import MemoryEngine
from howdah.errors import Failed
from howdah.imaging.checking import MANIFEST_PATH
from howdah.ports.engine import ExecResult, ImageState, InstanceSpec, Lines

FILES = {
    "base/options": '--variant=minbase\n--format=tar\n--aptopt=A "b"\n--dpkgopt=path-exclude=/x\n'
    '--setup-hook=mkdir -p "$1/m"\n--customize-hook=sh \'{base}/customize\' "$1"\n',
    "base/customize": "true\n",
    "base/packages-trixie-java25": "openjdk-25-jre-headless\npython3\n",
    "base/packages-bookworm-java17": "openjdk-17-jre-headless\n",
    "hadoop/Dockerfile": "ARG BASE\nFROM ${BASE} AS fetch\nCOPY certificates/ /c/\nCOPY hadoop/a hadoop/b /x/\n"
    "ARG HADOOP_VERSION=1\nARG TARGETARCH=none\nFROM fetch AS final\nCOPY --from=fetch /a /b\n"
    "# COPY nothing /here/\nCOPY locks/hadoop-${HADOOP_VERSION}.sha256 \\\n  /lock\nCOPY runtime/ /r/\n",
    "hadoop/a": "a",
    "hadoop/b": "b",
    "hadoop/unused": "u",
    "spark/Dockerfile": "ARG HADOOP_IMAGE\nFROM ${HADOOP_IMAGE}\nARG SPARK_VERSION\n"
    "COPY locks/spark-$SPARK_VERSION.sha256 /lock\n",
    "locks/hadoop-3.5.0.sha256": "11  lib/one.jar\n",
    "locks/hadoop-3.4.2.sha256": "12  lib/one.jar\n",
    "locks/spark-4.3.0.sha256": "22  two.jar\n",
    "runtime/deep/check.py": "pass\n",
    "runtime/check_files.py": "pass\n",
    "certificates/README": "read me\n",
}
MANIFEST = "11  /opt/hadoop/lib/one.jar\n33  /opt/hadoop/lib/howdah-made-here.jar\n22  /opt/spark/jars/two.jar\n"


def write_images(folder: Path) -> Path:
    """Make the folder."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@dataclass(frozen=True)
class Build:
    """One build that was asked for."""

    reference: str
    first_line: str
    arguments: Mapping[str, str]
    files: tuple[str, ...]


@dataclass
class Output:
    """What a build prints, and whether it goes well."""

    lines: tuple[str, ...] = ("Step 1/2 : FROM base AS fetch", "Step 2/2 : FROM fetch AS final")
    error: str = ""


@dataclass
class Calls:
    """What was asked of the engine."""

    builds: list[Build] = field(default_factory=list)
    pulls: list[str] = field(default_factory=list)


class BuildingEngine(MemoryEngine):
    """A MemoryEngine whose builds inherit layers and labels from their base, as Docker's do."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = Calls()
        self.output = Output()
        self.registry: dict[str, ImageState] = {}
        self.manifest = MANIFEST
        self.on_run = self._answer

    def build_image(
        self,
        reference: str,
        context: Path,
        *,
        dockerfile: str,
        target: str,
        arguments: Mapping[str, str],
        labels: Mapping[str, str],
        progress: Lines,
    ) -> None:
        text = (context / dockerfile).read_text()
        files = tuple(sorted(path.relative_to(context).as_posix() for path in context.rglob("*") if path.is_file()))
        self.calls.builds.append(Build(reference, text.splitlines()[0], dict(arguments), files))
        is_naming = text.startswith("FROM ")
        for line in () if is_naming else self.output.lines:
            progress(line)
        if self.output.error and not is_naming:
            raise Failed(self.output.error)
        self.add_image(reference, labels)
        if is_naming:
            above = self.known_images[text.split()[1]]
            merged = {**above.labels, **labels}
            self.known_images[reference] = replace(above, reference=reference, labels=merged)

    def pull_image(self, reference: str, progress: Lines) -> None:
        self.calls.pulls.append(reference)
        if reference not in self.registry:
            raise Failed(f"pull image {reference}: not found")
        self.known_images[reference] = self.registry[reference]

    def _answer(self, spec: InstanceSpec) -> ExecResult:
        if spec.command == ("cat", MANIFEST_PATH):
            return ExecResult(0, self.manifest.encode(), b"")
        return ExecResult(0, b"as listed", b"")


def digest_of(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
