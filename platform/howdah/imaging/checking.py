"""Whether an image is what was built.

Three things, from the outside in: its layers against the label that was set when it was built; its list of files
against the label, and against the locks that ship with howdah; the files against the list, with howdah's own
checker and not with the image's copy of it.
"""

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from howdah.errors import Failed, NotFound
from howdah.imaging.catalogue import Kind
from howdah.imaging.contexts import Inputs
from howdah.imaging.labels import LAYERS, MANIFEST, REWRITTEN, layers_digest
from howdah.ports.engine import Engine, ExecResult, InstanceSpec
from howdah.units import Bytes

MANIFEST_PATH = "/opt/howdah/manifest.sha256"
CHECKED_FOLDER = "/opt"
CHECKER = "runtime/check_files.py"
MEMORY = Bytes(512 * 2**20)
SECONDS = 600.0

_LINE = re.compile(r"^(changed|missing|unlisted): (\S+)(?: (?:is )?(.*))?$")
_JARS = {
    Kind.HADOOP: ("/opt/hadoop/lib", "/opt/hadoop/share", "/opt/hadoop/benchmarks"),
    Kind.SPARK: ("/opt/spark/jars",),
}


class Change(StrEnum):
    """How a file differs."""

    CHANGED = "changed"
    MISSING = "missing"
    UNLISTED = "unlisted"


@dataclass(frozen=True, slots=True)
class Difference:
    """One file that is not as it was built."""

    file: str
    change: Change
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.file} is {self.change}" + (f" ({self.detail})" if self.detail else "")


def verify(engine: Engine, reference: str, inputs: Inputs, images: Path) -> tuple[Difference, ...]:
    """What in an image that was built of these inputs is not as it was built, by file.

    Raises NotFound where the image is not there.
    """
    found = engine.image(reference)
    if found is None:
        raise NotFound(f"image {inputs.kind} is not here: {reference}", fix=f"howdah image build {inputs.kind}")
    differences: list[Difference] = []
    if layers_digest(found.layers) != found.labels.get(LAYERS):
        differences.append(Difference("/", Change.CHANGED, "the image has other layers than were built"))
    if inputs.parent is not None:
        manifest = read_manifest(engine, reference)
        if hashlib.sha256(manifest).hexdigest() != found.labels.get(MANIFEST):
            differences.append(
                Difference(MANIFEST_PATH, Change.CHANGED, "it is not the list that was made at the build")
            )
        rewritten = dict(word.split("=", 1) for word in found.labels.get(REWRITTEN, "").split() if "=" in word)
        differences += against_locks(inputs, manifest, rewritten)
        differences += _against_manifest(engine, reference, images)
    return tuple(dict.fromkeys(differences))


def read_manifest(engine: Engine, reference: str) -> bytes:
    """The image's list of files. Raises Failed where it has none."""
    result = _run(engine, reference, ("cat", MANIFEST_PATH))
    if result.exit_code or not result.stdout.strip():
        raise Failed(
            f"image {reference} has no list of its files: {result.stderr.decode(errors='replace').strip()[:200]}"
        )
    return result.stdout


def against_locks(inputs: Inputs, manifest: bytes, rewritten: Mapping[str, str]) -> list[Difference]:
    """The jars of a list of files against the locks of their packages.

    What howdah makes itself (``howdah-*``) is in no lock. ``rewritten`` has the sums of the jars that the build made
    smaller, by path: libraries for other machines are taken out of them (images/runtime/natives.py).
    """
    differences = []
    for path, digest, locked, lock in _jars(inputs, manifest):
        if locked is None:
            differences.append(Difference(path, Change.UNLISTED, f"not in {lock}"))
        elif digest not in (locked, rewritten.get(path)):
            differences.append(Difference(path, Change.CHANGED, f"not as in {lock}"))
    return differences


def rewritten_jars(inputs: Inputs, manifest: bytes) -> dict[str, str]:
    """The sums, by path, of jars that differ from the lock: right after the build checked them, by its own doing."""
    return {path: digest for path, digest, locked, _ in _jars(inputs, manifest) if locked not in (None, digest)}


def _jars(inputs: Inputs, manifest: bytes) -> Iterator[tuple[str, str, str | None, str]]:
    """(path, sum, sum in the lock, name of the lock) of every jar that came in a package."""
    listed = [(PurePosixPath(name), digest) for digest, name in _sums(manifest)]
    one: Inputs | None = inputs
    while one is not None:
        lock = f"locks/{one.kind}-{one.release.version(one.kind)}.sha256"
        locked = {PurePosixPath(name).name: digest for digest, name in _sums(one.files.get(lock, b""))}
        for path, digest in listed:
            is_ours = path.suffix == ".jar" and not path.name.startswith("howdah-")
            if is_ours and str(path.parent) in _JARS.get(one.kind, ()):
                yield str(path), digest, locked.get(path.name), lock
        one = one.parent


def _sums(text: bytes) -> Iterator[tuple[str, str]]:
    """(sum, name) of each line, in the format of sha256sum."""
    for line in text.decode(errors="replace").splitlines():
        digest, _, name = line.partition("  ")
        if name:
            yield digest, name


def _against_manifest(engine: Engine, reference: str, images: Path) -> list[Difference]:
    program = (images / CHECKER).read_text()
    command = ("python3", "-I", "-S", "-E", "-c", program, MANIFEST_PATH, CHECKED_FOLDER)
    result = _run(engine, reference, command)
    differences = parse_report(result.stderr.decode(errors="replace"))
    if result.exit_code and not differences:
        raise Failed(f"image {reference} could not be checked: {result.stderr.decode(errors='replace').strip()[:500]}")
    return differences


def parse_report(text: str) -> list[Difference]:
    """What the checker printed."""
    differences = []
    for line in text.splitlines():
        if match := _LINE.match(line):
            name = str(PurePosixPath(CHECKED_FOLDER) / match[2])
            detail = (match[3] or "") if match[1] == Change.CHANGED else ""
            differences.append(Difference(name, Change(match[1]), detail))
    return differences


def _run(engine: Engine, reference: str, command: tuple[str, ...]) -> ExecResult:
    name = f"howdah-image-check-{secrets.token_hex(4)}"
    spec = InstanceSpec(
        name=name,
        image=reference,
        command=command,
        hostname="check",
        network="",
        labels={"howdah.check": "image"},
        memory=MEMORY,
    )
    return engine.run_once(spec, SECONDS)
