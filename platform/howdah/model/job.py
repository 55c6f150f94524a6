"""Jobs: what was asked for, where it stands, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class JobKind(StrEnum):
    """Which client runs it."""

    SPARK = "spark"
    MAPREDUCE = "mapreduce"
    STREAMING = "streaming"


class DeployMode(StrEnum):
    """Where a Spark driver runs: in the gateway, or in a YARN container."""

    CLIENT = "client"
    CLUSTER = "cluster"


class JobState(StrEnum):
    """Where a job stands. SUBMITTING: it is on record; whether the gateway has it is for the gateway to say."""

    SUBMITTING = "SUBMITTING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    KILLED = "KILLED"
    LOST = "LOST"
    """What ran it went away, and nobody can tell how it would have ended."""

    @property
    def is_final(self) -> bool:
        """Whether it will never be another."""
        return self not in (JobState.SUBMITTING, JobState.RUNNING)


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What to run.

    ``program`` is a path on the user's machine, or ``local:…`` for a file of the image; streaming has none.
    ``main_class`` is for Spark; a MapReduce jar names its own, or takes the first argument. ``files`` go with the
    program. ``settings`` are properties of Spark and Hadoop, for this job alone.
    """

    kind: JobKind
    program: str = ""
    arguments: tuple[str, ...] = ()
    main_class: str = ""
    files: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    deploy_mode: DeployMode = DeployMode.CLIENT


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended. ``exit_code`` is its client's own, 125 where that is lost; ``sentence`` is for a person."""

    state: JobState
    exit_code: int
    sentence: str
    ended_at: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Job:
    """The record of a job, written before anything is sent. ``id`` is its YARN tag too. Times are UTC in ISO 8601."""

    id: str
    cluster: str
    cluster_uuid: str
    spec: JobSpec
    state: JobState
    submitted_at: str
    applications: tuple[str, ...] = ()
    """YARN's ids; a program may start several, one after the other."""
    outcome: Outcome | None = None
