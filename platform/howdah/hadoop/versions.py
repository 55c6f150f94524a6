"""The versions of Hadoop that are known, what each needs, and which of them this release runs."""

from dataclasses import dataclass

from howdah.errors import UserError


@dataclass(frozen=True, slots=True)
class HadoopVersion:
    """One version and what goes with it. Layout versions are what its daemons write into VERSION files."""

    hadoop: str
    java: str
    spark: tuple[str, ...]
    namenode_layout: int
    datanode_layout: int
    is_supported: bool
    note: str = ""


VERSIONS: tuple[HadoopVersion, ...] = (
    HadoopVersion("3.5.0", "25", ("4.3.0",), -67, -57, is_supported=True),
    # On Java 25 Hadoop 3.4.2 dies: "getSubject is not supported".
    HadoopVersion("3.4.2", "17", (), -67, -57, is_supported=True),
)

DEFAULT = VERSIONS[0]


def supported() -> tuple[HadoopVersion, ...]:
    """What this release runs, newest first."""
    return tuple(version for version in VERSIONS if version.is_supported)


def supported_text() -> str:
    """The supported combinations for a message."""
    return "; ".join(
        f"Hadoop {version.hadoop} on Java {version.java}"
        + (f" with Spark {' or '.join(version.spark)}" if version.spark else "")
        for version in supported()
    )


def find(hadoop: str) -> HadoopVersion:
    """The row of a Hadoop version. Raises UserError where it is not one that this release runs."""
    known = next((version for version in VERSIONS if version.hadoop == hadoop), None)
    if known is not None and known.is_supported:
        return known
    why = f" ({known.note})" if known is not None else ""
    raise UserError(f"Hadoop {hadoop} is not supported{why}", fix=f"supported: {supported_text()}")
