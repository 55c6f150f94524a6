"""What images can be had: their kinds, and the versions that go together."""

from dataclasses import dataclass
from enum import StrEnum

from howdah.errors import NotFound, UserError


class Kind(StrEnum):
    """A kind of image. Each is built on the one before it."""

    BASE = "base"
    HADOOP = "hadoop"
    SPARK = "spark"

    @classmethod
    def parse(cls, text: str) -> "Kind":
        """Read the name of a kind. Raises NotFound for any other."""
        try:
            return cls(text)
        except ValueError:
            raise NotFound(f"there is no image {text!r}", fix=f"one of: {', '.join(cls)}") from None


@dataclass(frozen=True, slots=True)
class Release:
    """Versions that go together.

    ``suite`` is Debian's name; ``share`` the version of Hadoop's examples and of streaming.

    Examples and streaming are not published for every version of Hadoop. ``spark`` is empty where there is no Spark
    for it.
    """

    hadoop: str
    java: str
    suite: str
    share: str
    spark: str
    architectures: tuple[str, ...]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The images of this release."""
        return tuple(Kind) if self.spark else (Kind.BASE, Kind.HADOOP)

    def version(self, kind: Kind) -> str:
        """What the reference of an image shows of its versions."""
        match kind:
            case Kind.BASE:
                return f"{self.suite}-java{self.java}"
            case Kind.HADOOP:
                return self.hadoop
            case Kind.SPARK:
                return self.spark

    def __str__(self) -> str:
        spark = f" with Spark {self.spark}" if self.spark else ""
        return f"Hadoop {self.hadoop} on Java {self.java}{spark}"


RELEASES: tuple[Release, ...] = (
    Release("3.5.0", java="25", suite="trixie", share="3.4.2", spark="4.3.0", architectures=("amd64",)),
    Release("3.4.2", java="17", suite="bookworm", share="3.4.2", spark="", architectures=("amd64",)),
)
"""Newest first, and only what builds and runs."""

DEFAULT = RELEASES[0]

PARENT: dict[Kind, Kind | None] = {Kind.BASE: None, Kind.HADOOP: Kind.BASE, Kind.SPARK: Kind.HADOOP}

_ENGINE_WORDS = {"x86_64": "amd64", "aarch64": "arm64"}


def find(hadoop: str, spark: str | None = None) -> Release:
    """The release of these versions. Raises UserError where there is none, with those that there are."""
    for release in RELEASES:
        if release.hadoop == hadoop and spark in (None, release.spark):
            return release
    wanted = f"Hadoop {hadoop}" + (f" with Spark {spark}" if spark else "")
    raise UserError(f"there is no image of {wanted}", fix=f"one of: {'; '.join(str(release) for release in RELEASES)}")


def architecture(release: Release, engine_word: str) -> str:
    """Debian's word for the engine's architecture. Raises UserError where the release has no images for it."""
    word = _ENGINE_WORDS.get(engine_word, engine_word)
    if word not in release.architectures:
        raise UserError(
            f"there are no images of {release} for {word}, which this engine runs",
            fix=f"use an engine on {' or '.join(release.architectures)}",
        )
    return word


def arguments(kind: Kind, release: Release, architecture: str) -> dict[str, str]:
    """The build arguments of a kind, without the name of its parent."""
    by_kind = {
        Kind.BASE: {"SUITE": release.suite, "JAVA": release.java},
        Kind.HADOOP: {"HADOOP_VERSION": release.hadoop, "SHARE_VERSION": release.share},
        Kind.SPARK: {"SPARK_VERSION": release.spark},
    }
    return {**by_kind[kind], "TARGETARCH": architecture}


def parent_argument(kind: Kind) -> str:
    """The build argument that takes the name of the parent."""
    return {Kind.HADOOP: "BASE", Kind.SPARK: "HADOOP_IMAGE"}.get(kind, "")


def version_labels(kind: Kind, release: Release, architecture: str) -> dict[str, str]:
    """The versions that are in an image, as labels."""
    labels = {"howdah.architecture": architecture, "howdah.suite": release.suite, "howdah.java": release.java}
    if kind is not Kind.BASE:
        labels["howdah.hadoop"] = release.hadoop
    if kind is Kind.SPARK:
        labels["howdah.spark"] = release.spark
    return labels
