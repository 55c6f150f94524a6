"""What YARN says of a job, and what follows from that and from the gateway's report."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from howdah.errors import Transient
from howdah.jobs.causes import Evidence, cause
from howdah.jobs.gateway import Ending, Report
from howdah.model.job import DeployMode, Job, JobKind, JobState, Outcome
from howdah.model.roles import ROLES, Role
from howdah.ports.engine import Engine
from howdah.probes.http import request

RESOURCEMANAGER_HTTP = ROLES[Role.RESOURCEMANAGER].ports["http"]
UNKNOWN_EXIT_CODE = 125
_WAITING = ("NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED")
_OVER = ("FINISHED", "FAILED", "KILLED")


@dataclass(frozen=True, slots=True)
class Application:
    """A YARN application as the ResourceManager tells of it (its REST API's words). ``progress`` is in percent."""

    id: str
    name: str
    state: str
    final_status: str
    diagnostics: str
    progress: float
    finished: float

    @property
    def is_over(self) -> bool:
        """Whether it will not change any more."""
        return self.state in _OVER

    @property
    def has_failed(self) -> bool:
        """Whether it ended badly."""
        return self.final_status in ("FAILED", "KILLED")

    @property
    def waits_for(self) -> str:
        """Why it does not run yet; empty where it does."""
        if self.state not in _WAITING:
            return ""
        return " ".join(self.diagnostics.split()) or "the ResourceManager's queue"


@dataclass(frozen=True, slots=True)
class ResourceManager:
    """The ResourceManager's REST API, asked by container name."""

    engine: Engine
    container: str

    def applications(self, tag: str) -> tuple[Application, ...]:
        """All that carry the tag, oldest first. Raises Transient where it does not answer."""
        path = f"/ws/v1/cluster/apps?applicationTags={quote(tag)}"
        reply = request(self.engine, self.container, RESOURCEMANAGER_HTTP, "GET", path)
        if reply.status != 200:
            raise Transient(f"the ResourceManager {self.container} answers {reply.status}")
        listed: list[dict[str, Any]] = (reply.json().get("apps") or {}).get("app", [])
        return tuple(sorted((_application(each) for each in listed), key=lambda each: each.id))


def _application(said: dict[str, Any]) -> Application:
    return Application(
        id=str(said["id"]),
        name=str(said.get("name", "")),
        state=str(said["state"]),
        final_status=str(said.get("finalStatus", "")),
        diagnostics=str(said.get("diagnostics", "")),
        progress=float(said.get("progress", 0)),
        finished=float(said.get("finishedTime", 0)) / 1000,
    )


def ended(job: Job, ending: Ending, report: Report, applications: Sequence[Application], containers: str) -> Outcome:
    """The outcome of a job whose client ended: its exit code decides, YARN explains."""
    seconds = round(ending.ended - ending.began)
    at = datetime.fromtimestamp(ending.ended, UTC).isoformat(timespec="seconds")
    names = _names(applications)
    if ending.exit_code == 0 and not ending.was_killed:
        return Outcome(JobState.SUCCEEDED, 0, f"{job.id} succeeded after {seconds}s{names}", at, seconds)
    state = JobState.KILLED if ending.was_killed else JobState.FAILED
    evidence = Evidence(
        exit_code=ending.exit_code,
        stdout=report.stdout,
        stderr=report.stderr,
        diagnostics=tuple(each.diagnostics for each in applications if each.has_failed and each.diagnostics),
        containers=containers,
        was_killed=ending.was_killed,
        was_out_of_memory=ending.was_out_of_memory,
    )
    why = cause(evidence)
    how = "was killed" if ending.was_killed else f"failed with exit code {ending.exit_code}"
    because = f": {why}" if why and not ending.was_killed else ""
    return Outcome(state, ending.exit_code, f"{job.id} {how} after {seconds}s{names}{because}", at, seconds)


def lost(job: Job, applications: Sequence[Application], now: datetime) -> Outcome:
    """The outcome of a job whose client vanished (its gateway went down): all that is left is what YARN knows."""
    names = _names(applications)
    end = max((each.finished for each in applications), default=0) or now.timestamp()
    at = datetime.fromtimestamp(end, UTC)
    seconds = max(0, round((at - datetime.fromisoformat(job.submitted_at)).total_seconds()))
    bad = next((each for each in applications if each.has_failed), None)
    gone = "its client in the gateway went away"
    is_whole = job.spec.kind is JobKind.SPARK and job.spec.deploy_mode is DeployMode.CLUSTER
    if bad is not None and (is_whole or job.spec.kind is not JobKind.SPARK):
        state = JobState.KILLED if bad.final_status == "KILLED" else JobState.FAILED
        why = bad.diagnostics.strip().partition("\n")[0] or "no reason given"
        code, text = 1, f"{gone}; YARN says {bad.final_status}: {why}"
    elif applications and is_whole:
        state, code, text = JobState.SUCCEEDED, 0, f"{gone}; YARN says SUCCEEDED"
    else:
        # What YARN says of a Spark application whose driver vanished means nothing: it may be SUCCEEDED. And what else
        # a program had to do, it alone knew.
        said = "YARN cannot tell how the rest of it would have ended" if applications else "before YARN knew of it"
        state, code, text = JobState.LOST, UNKNOWN_EXIT_CODE, f"{gone}; {said}"
    words = {JobState.SUCCEEDED: "succeeded", JobState.LOST: "is lost", JobState.KILLED: "was killed"}
    how = words.get(state, "failed")
    return Outcome(state, code, f"{job.id} {how}{names}: {text}", at.isoformat(timespec="seconds"), seconds)


def vanished(job: Job, now: datetime) -> Outcome:
    """The outcome of a job that was not seen to end before its cluster was deleted."""
    at = now.isoformat(timespec="seconds")
    sentence = f"{job.id} is lost: cluster {job.cluster} was deleted before anybody asked how the job ended"
    return Outcome(JobState.LOST, UNKNOWN_EXIT_CODE, sentence, at, 0)


def describe(job: Job, report: Report, applications: Iterable[Application] | None) -> str:
    """What a job that has not ended is doing or waiting for, in one sentence."""
    if report.phase.is_startable:
        return f"{job.id} was not started yet: the same submit with this id starts it"
    if applications is None:
        return f"{job.id} runs; the ResourceManager does not answer"
    going = [each for each in applications if not each.is_over]
    if not going:
        return f"{job.id} runs in the gateway; YARN has nothing of it"
    parts = [
        f"{each.id} waits for: {each.waits_for}" if each.waits_for else f"{each.id} runs ({each.progress:.0f} %)"
        for each in going
    ]
    return f"{job.id}: {', '.join(parts)}"


def _names(applications: Sequence[Application]) -> str:
    return f" ({', '.join(each.id for each in applications)})" if applications else ""
