"""From the shipped inputs of an image to its reference, and to the folder that it is built from.

The inputs are what the Dockerfile copies, read from the Dockerfile itself, so that nothing can be forgotten: the
folder that is built from holds those files and no others. The host's own certificates are in that folder too, but
not among the inputs: no image keeps them.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from howdah.errors import Bug
from howdah.imaging.catalogue import PARENT, Kind, Release, arguments

RECIPE = 1
"""Raised when the builder itself changes what comes of the same inputs."""

CERTIFICATES = "certificates"
_INSTRUCTION = re.compile(r"^(ARG|COPY|ADD)\s+(.+)$", re.IGNORECASE)
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_REFERENCE_DIGITS = 12


@dataclass(frozen=True)
class Inputs:
    """Everything that decides what is in an image. ``files`` maps names in the shipped folder to contents."""

    kind: Kind
    release: Release
    architecture: str
    files: Mapping[str, bytes] = field(repr=False)
    parent: "Inputs | None" = None

    @property
    def arguments(self) -> dict[str, str]:
        """The build arguments, without the parent's name."""
        return arguments(self.kind, self.release, self.architecture)

    @cached_property
    def digest(self) -> str:
        """64 hexadecimal digits, of names and contents alone: the same on every machine."""
        described = {
            "recipe": RECIPE,
            "kind": self.kind,
            "architecture": self.architecture,
            "arguments": self.arguments,
            "parent": self.parent.digest if self.parent else "",
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in self.files.items()},
        }
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()

    @property
    def tag(self) -> str:
        """The version and the beginning of the digest."""
        return f"{self.release.version(self.kind)}-{self.digest[:_REFERENCE_DIGITS]}"

    @property
    def reference(self) -> str:
        """The image's name in every engine."""
        return f"howdah/{self.kind}:{self.tag}"


def read_inputs(images: Path, kind: Kind, release: Release, architecture: str) -> Inputs:
    """Read the inputs of an image and of those that it is built on, from the shipped ``images`` folder.

    Raises Bug where a Dockerfile copies what is not there.
    """
    above = PARENT[kind]
    parent = read_inputs(images, above, release, architecture) if above else None
    files: dict[str, bytes] = {}
    for name in _names(images, kind, release, architecture):
        for path in _files(images, name):
            files[path.relative_to(images).as_posix()] = path.read_bytes()
    return Inputs(kind, release, architecture, dict(sorted(files.items())), parent)


def materialise(inputs: Inputs, certificates: Mapping[str, bytes], folder: Path) -> None:
    """Write the folder that an image is built from, with modes that the umask does not change (for the build cache)."""
    for name, content in {
        **inputs.files,
        **{f"{CERTIFICATES}/{name}": content for name, content in certificates.items()},
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o644)
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)


def dockerfile(kind: Kind) -> str:
    """The name of a kind's Dockerfile."""
    return f"{kind}/Dockerfile"


def copied(text: str, given: Mapping[str, str]) -> Iterator[str]:
    """What a Dockerfile copies from its context, with the build arguments filled in."""
    values: dict[str, str] = {}
    for instruction, rest in _instructions(text):
        if instruction == "ARG":
            name, _, default = rest.partition("=")
            values[name.strip()] = given.get(name.strip(), default.strip())
            continue
        words = rest.split()
        flags = [word for word in words if word.startswith("--")]
        if not any(flag.startswith("--from=") for flag in flags):
            for word in words[len(flags) : -1]:
                yield _VARIABLE.sub(lambda match: values.get(match[1] or match[2], match[0]), word)


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    uncommented = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    for line in re.sub(r"\\\n", " ", uncommented).splitlines():
        if match := _INSTRUCTION.match(line.strip()):
            yield match[1].upper(), match[2]


def _names(images: Path, kind: Kind, release: Release, architecture: str) -> list[str]:
    if kind is Kind.BASE:
        return ["base/options", "base/customize", f"base/packages-{release.suite}-java{release.java}"]
    text = (images / dockerfile(kind)).read_text()
    return [dockerfile(kind), *copied(text, arguments(kind, release, architecture))]


def _files(images: Path, name: str) -> list[Path]:
    """The files that a name, a folder or a pattern stands for."""
    found: list[Path] = []
    for path in images.glob(name.rstrip("/")):
        found += path.rglob("*") if path.is_dir() else [path]
    files = [path for path in found if path.is_file() and not _is_litter(path.relative_to(images))]
    if not files:
        raise Bug(f"the shipped images are not whole: {images / name} is not there")
    return files


def _is_litter(path: Path) -> bool:
    """What editors and interpreters leave, and certificates that somebody put into the shipped folder."""
    if path.parts[0] == CERTIFICATES and path.name != "README":
        return True
    return path.suffix in (".pyc", ".swp") or any(
        part.startswith(".") or part.endswith("~") or part == "__pycache__" for part in path.parts
    )
