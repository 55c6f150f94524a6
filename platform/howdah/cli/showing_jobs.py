"""Jobs for people and for programs."""

from collections.abc import Iterable, Iterator

from howdah.cli.output import Json, columns
from howdah.cli.showing import moment
from howdah.jobs.submit import JobStatus
from howdah.model.job import Job
from howdah.units import Duration


def table(found: Iterable[Job]) -> Iterator[str]:
    """A line a job."""
    rows = [
        (
            job.id,
            job.cluster,
            job.spec.kind.value,
            job.state.lower(),
            moment(job.submitted_at),
            str(Duration(job.outcome.seconds)) if job.outcome else "",
            job.spec.program,
        )
        for job in found
    ]
    if rows:
        yield from columns(("JOB", "CLUSTER", "KIND", "STATE", "SUBMITTED", "TOOK", "PROGRAM"), rows)
    else:
        yield "no jobs yet: howdah submit runs one"


def status(found: JobStatus) -> Iterator[str]:
    """The sentence first."""
    job = found.job
    yield found.sentence
    yield f"cluster    {job.cluster}"
    yield f"program    {' '.join((job.spec.kind.value, job.spec.program, *job.spec.arguments))}"
    yield f"submitted  {moment(job.submitted_at)}"
    for application in job.applications:
        yield f"YARN       {application}"


def job_json(job: Job) -> Json:
    """A job for programs."""
    spec, outcome = job.spec, job.outcome
    return {
        "id": job.id,
        "cluster": job.cluster,
        "kind": spec.kind.value,
        "program": spec.program,
        "arguments": list(spec.arguments),
        "state": job.state.value,
        "submitted_at": job.submitted_at,
        "applications": list(job.applications),
        "outcome": None
        if outcome is None
        else {
            "state": outcome.state.value,
            "exit_code": outcome.exit_code,
            "sentence": outcome.sentence,
            "ended_at": outcome.ended_at,
            "seconds": outcome.seconds,
        },
    }


def status_json(found: JobStatus) -> Json:
    """A job as it is now, for programs."""
    known = job_json(found.job)
    assert isinstance(known, dict)
    return {**known, "sentence": found.sentence}
