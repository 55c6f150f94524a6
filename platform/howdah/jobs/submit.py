"""The verbs on jobs: submit, follow, wait, show, list, logs, kill.

A job is written down before it is sent, is sent whole or not at all, is started once, and runs in the gateway whatever
becomes of the process that submitted it. So every verb can be interrupted anywhere, and be called again.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from howdah.clock import Clock
from howdah.coordination.records import Records, Stored, not_found
from howdah.errors import Conflict, Failed, HowdahError, NotFound, Transient, UserError
from howdah.jobs import readiness, staging, track
from howdah.jobs.commands import LOCAL, command, shared_jar, staged
from howdah.jobs.gateway import ClientPhase, Ending, FollowEnd, Gateway
from howdah.jobs.track import Application, ResourceManager
from howdah.model.cluster import Desired, Instance
from howdah.model.job import Job, JobSpec, JobState, Outcome
from howdah.model.roles import Role
from howdah.ports.engine import Engine

RECORDS_KEPT = 500
SILENCE = 5.0
"""Seconds without output after which it is said what a job waits for."""
_ID = re.compile(r"[a-z0-9-]{1,100}")
"""A znode's name, and a YARN tag, which is in lower case and has 100 characters at most."""
_RETRIES = 6
_LOG_ATTEMPTS = 4
_ATTEMPTS = 20


class Channel(StrEnum):
    """Where output came from; NOTE is what howdah has to say about the job."""

    STDOUT = "stdout"
    STDERR = "stderr"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Output:
    """A piece of output, not necessarily whole lines."""

    channel: Channel
    content: bytes


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job as it is now. ``sentence`` says what it does, waits for, or how it ended."""

    job: Job
    sentence: str
    applications: tuple[Application, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cluster's jobs are started and looked after."""

    gateway: Gateway
    resourcemanager: ResourceManager


@dataclass
class _Offsets:
    """How much of each stream was seen."""

    stdout: int = 0
    stderr: int = 0


class Jobs:
    """The jobs of an installation.

    ``engines`` are by host; ``desired`` is what a cluster is meant to be, and raises NotFound where there is none.
    """

    def __init__(
        self,
        engines: Mapping[str, Engine],
        records: Records,
        desired: Callable[[str], Desired],
        clock: Clock,
    ) -> None:
        self._engines = engines
        self._records = records
        self._desired = desired
        self._clock = clock

    # -- from nothing to running

    def new_id(self) -> str:
        """An id of a job: its time, and something to tell it from others of that second."""
        return f"job-{self._clock.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"

    def submit(
        self, cluster: str, spec: JobSpec, job_id: str = "", written_down: Callable[[Job], None] = lambda job: None
    ) -> Job:
        """Run a job; returns when it has been started.

        With the id of a job that was interrupted in between, goes on with that one: it never runs twice.
        ``written_down`` is called before anything is sent. Raises UserError, without having left anything behind, where
        the cluster is not ready or a file is missing; Conflict where the id is another job's.
        """
        if job_id and not _ID.fullmatch(job_id):
            raise UserError(
                f"{job_id!r} cannot be the id of a job", fix="lower-case letters, digits and hyphens, at most 100"
            )
        known = self._records.job(job_id) if job_id else None
        if known is not None:
            return self._resume(known, cluster, spec)
        staging.check(spec)
        desired = self._ready(cluster, spec)
        job = Job(
            id=job_id or self.new_id(),
            cluster=cluster,
            cluster_uuid=desired.cluster.uuid,
            spec=spec,
            state=JobState.SUBMITTING,
            submitted_at=self._clock.now().isoformat(timespec="seconds"),
        )
        archive = self._archive(job, desired)
        self._prune()
        self._records.create_job(job)
        written_down(job)
        return self._start(Stored(job, 0), desired, archive)

    def _resume(self, known: Stored[Job], cluster: str, spec: JobSpec) -> Job:
        job = known.value
        if (job.cluster, job.spec) != (cluster, spec):
            raise Conflict(f"{job.id} is another job, on cluster {job.cluster}", fix="submit without an id")
        if job.state is not JobState.SUBMITTING:
            return job
        place = self._place_of(job)
        if place is None:
            return self._settle(known, track.vanished(job, self._clock.now()))
        if not place.gateway.report(job.id).phase.is_startable:
            return self._update(known, lambda old: replace(old, state=JobState.RUNNING))
        staging.check(spec)
        desired = self._ready(cluster, spec)
        return self._start(known, desired, self._archive(job, desired))

    def _start(self, stored: Stored[Job], desired: Desired, archive: bytes) -> Job:
        self._place(desired).gateway.start(stored.value.id, archive)
        return self._update(stored, lambda old: replace(old, state=JobState.RUNNING))

    def _archive(self, job: Job, desired: Desired) -> bytes:
        return staging.archive(job.spec, command(job.spec, job.id, self._program(desired, job.spec)))

    def _program(self, desired: Desired, spec: JobSpec) -> str:
        """The program's path in the gateway."""
        if spec.program.startswith(LOCAL):
            gateway = self._place(desired).gateway
            return shared_jar(spec.program, () if spec.program.startswith(f"{LOCAL}/") else gateway.shared_jars())
        return staged(spec.program) if staging.is_local(spec.program) else spec.program

    def _ready(self, cluster: str, spec: JobSpec) -> Desired:
        desired = self._desired(cluster)
        readiness.check(desired, self._records.endpoints(cluster), spec.kind)
        return desired

    # -- where it stands

    def show(self, job_id: str) -> JobStatus:
        """Where a job stands now; its outcome is written down when this is the first to see it.

        Raises NotFound. A gateway that does not answer is part of the sentence.
        """
        stored = self._stored(job_id)
        job = stored.value
        if job.outcome is not None:
            return JobStatus(job, job.outcome.sentence)
        place = self._place_of(job)
        if place is None:
            job = self._settle(stored, track.vanished(job, self._clock.now()))
            return JobStatus(job, job.outcome.sentence if job.outcome else "")
        try:
            return self._look(stored, place)
        except (Transient, NotFound) as error:
            return JobStatus(job, f"{job.id} is {job.state}, as far as is known: {error.what}")

    def list(self, cluster: str = "") -> tuple[Job, ...]:
        """Jobs on record, oldest first, as they were last seen."""
        found = (self._records.job(job_id) for job_id in self._records.job_ids())
        return tuple(stored.value for stored in found if stored and cluster in ("", stored.value.cluster))

    def wait(self, job_id: str) -> Outcome:
        """Wait for the end of a job, however long that is. Raises Transient where its cluster stays silent."""
        for _ in self.follow(job_id, from_start=False):
            pass
        return self.outcome(job_id)

    def outcome(self, job_id: str) -> Outcome:
        """How a job ended. Raises UserError where it has not, Transient where nobody can tell now."""
        status = self.show(job_id)
        if status.job.outcome is None:
            raise UserError(f"there is no outcome yet: {status.sentence}", fix=f"howdah jobs wait {job_id}")
        return status.job.outcome

    def kill(self, job_id: str) -> Job:
        """End a job: its client, then what YARN still runs of it. Nothing where it has ended."""
        stored = self._stored(job_id)
        place = self._place_of(stored.value)
        if stored.value.outcome is not None or place is None:
            return self.show(job_id).job
        if place.gateway.report(job_id).phase.is_startable:
            at = self._clock.now().isoformat(timespec="seconds")
            never = Outcome(JobState.KILLED, track.UNKNOWN_EXIT_CODE, f"{job_id} was killed before it started", at, 0)
            return self._settle(stored, never)
        place.gateway.kill(job_id)
        for application in place.resourcemanager.applications(job_id):
            if not application.is_over:
                place.gateway.kill_application(application.id)
        return self.show(job_id).job

    # -- what it says

    def logs(self, job_id: str) -> Iterator[Output]:
        """What a job has written so far. Raises NotFound where its cluster is gone, and the output with it."""
        place = self._place_with_output(job_id)
        for is_error, content in place.gateway.follow(job_id, 0, 0, 0.0):
            yield Output(Channel.STDERR if is_error else Channel.STDOUT, content)

    def follow(self, job_id: str, *, from_start: bool = True) -> Iterator[Output]:
        """A job's output until it ends, and notes on what it waits for. Ends when its outcome is known.

        A connection that breaks is taken up again where it was. Raises Transient when it stays broken: the job goes on.
        """
        stored = self._stored(job_id)
        if stored.value.outcome is not None and not from_start:
            return
        place = self._place_with_output(job_id)
        offsets = _Offsets() if from_start else _Offsets(2**62, 2**62)
        silence, note, broken = SILENCE, "", 0
        while True:
            try:
                following = place.gateway.follow(job_id, offsets.stdout, offsets.stderr, silence)
                for output in _counted(following, offsets):
                    silence, broken = SILENCE, 0
                    yield output
                end = following.end()
                status = self.show(job_id)
            except NotFound:
                if self.show(job_id).job.outcome is not None:
                    return  # the cluster was deleted
                raise
            except (Transient, Failed) as error:
                end, status, broken = None, None, self._retry(job_id, error, broken)
            if end is FollowEnd.NOT_STARTED:
                raise UserError(f"{job_id} was not started", fix="submit it again with this id")
            if status is not None and status.job.outcome is not None:
                return
            if status is not None and status.sentence != note:
                note = status.sentence
                yield Output(Channel.NOTE, note.encode())
            if end is FollowEnd.GONE:
                self._clock.sleep(1.0)  # YARN goes on with it
            silence = min(silence * 2, 60.0)

    def _retry(self, job_id: str, error: HowdahError, broken: int) -> int:
        if broken >= _RETRIES:
            what = f"{job_id} goes on, but its gateway cannot be reached: {error.what}"
            raise Transient(what, fix=f"howdah jobs wait {job_id}") from error
        self._clock.sleep(min(2.0**broken / 4, 5.0))
        return broken + 1

    # -- from what is found to what is written down

    def _look(self, stored: Stored[Job], place: Place) -> JobStatus:
        job = stored.value
        report = place.gateway.report(job.id)
        known = self._applications(job, place)
        applications = known or ()
        names = tuple(each.id for each in applications) or job.applications
        if report.ending is not None:
            containers = self._container_logs(place, report.ending, applications)
            outcome = track.ended(job, report.ending, report, applications, containers)
        elif report.phase is ClientPhase.GONE and known is not None and all(each.is_over for each in known):
            outcome = track.lost(job, known, self._clock.now())
        else:
            state = job.state if report.phase.is_startable else JobState.RUNNING
            if (names, state) != (job.applications, job.state):
                job = self._update(stored, lambda old: replace(old, state=state, applications=names))
            return JobStatus(job, track.describe(job, report, known), applications)
        job = self._settle(stored, outcome, names)
        return JobStatus(job, job.outcome.sentence if job.outcome else "", applications)

    def _applications(self, job: Job, place: Place) -> tuple[Application, ...] | None:
        """What YARN has of it. None where it does not answer: a client's end does not wait for that."""
        try:
            return place.resourcemanager.applications(job.id)
        except Transient:
            return None

    def _container_logs(self, place: Place, ending: Ending, applications: tuple[Application, ...]) -> str:
        """The containers' side of a failure, where YARN saw one: the client's own output does not always have it.

        They are collected a moment after the application has ended.
        """
        failed = [each for each in applications if each.has_failed]
        if ending.exit_code == 0 or ending.was_killed or not failed:
            return ""
        for _ in range(_LOG_ATTEMPTS):
            if found := place.gateway.container_logs(failed[-1].id):
                return found
            self._clock.sleep(1.0)
        return ""

    def _settle(self, stored: Stored[Job], outcome: Outcome, applications: tuple[str, ...] = ()) -> Job:
        def settled(old: Job) -> Job:
            if old.outcome is not None:
                return old
            return replace(old, state=outcome.state, outcome=outcome, applications=applications or old.applications)

        return self._update(stored, settled)

    def _update(self, stored: Stored[Job], change: Callable[[Job], Job]) -> Job:
        """Compare and set; another process may be following the same job. An outcome is never taken back."""
        for _ in range(_ATTEMPTS):
            new = stored.value if stored.value.outcome is not None else change(stored.value)
            if new == stored.value:
                return new
            try:
                return self._records.update_job(stored, new).value
            except Conflict:
                stored = self._stored(new.id)
        raise Conflict(f"the record of {stored.value.id} is changed by others all the time", fix="repeat the command")

    def _stored(self, job_id: str) -> Stored[Job]:
        stored = self._records.job(job_id) if _ID.fullmatch(job_id) else None
        if stored is None:
            raise not_found("job", job_id, self._records.job_ids()[-5:])
        return stored

    def _place_of(self, job: Job) -> Place | None:
        """None where the cluster is gone, or another has its name."""
        cluster = self._records.cluster(job.cluster)
        if cluster is None or cluster.value.uuid != job.cluster_uuid:
            return None
        return self._place(self._desired(job.cluster))

    def _place_with_output(self, job_id: str) -> Place:
        job = self._stored(job_id).value
        place = self._place_of(job)
        if place is None:
            end = f": {job.outcome.sentence}" if job.outcome else ""
            raise NotFound(f"cluster {job.cluster} is gone, and the output of {job_id} with it{end}")
        return place

    def _place(self, desired: Desired) -> Place:
        gateway, manager = desired.of(Role.GATEWAY)[0], desired.of(Role.RESOURCEMANAGER)[0]
        return Place(
            Gateway(self._engine(gateway), gateway.container), ResourceManager(self._engine(manager), manager.container)
        )

    def _engine(self, instance: Instance) -> Engine:
        return self._engines[instance.assignment.host]

    def _prune(self) -> None:
        """Forget the oldest jobs that have ended, so that the registry does not grow for ever."""
        ids = self._records.job_ids()
        for job_id in ids[: max(0, len(ids) - RECORDS_KEPT)]:
            stored = self._records.job(job_id)
            if stored is not None and stored.value.state.is_final:
                self._records.forget_job(stored)


def _counted(following: Iterable[tuple[bool, bytes]], offsets: _Offsets) -> Iterator[Output]:
    for is_error, content in following:
        if is_error:
            offsets.stderr += len(content)
        else:
            offsets.stdout += len(content)
        yield Output(Channel.STDERR if is_error else Channel.STDOUT, content)


__all__ = ["Channel", "JobStatus", "Jobs", "Output", "Place"]
