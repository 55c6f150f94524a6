import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from howdah.errors import NotFound, Transient, UserError
from howdah.jobs.submit import Channel, JobStatus, Output
from howdah.model.job import DeployMode, Job, JobKind, JobSpec, JobState, Outcome
from tests.unit.cli.conftest import Howdah, WorldClient, WorldInstallation

ID = "job-20260131-123000-abcdef"
SPEC = JobSpec(JobKind.SPARK, "wordcount.py")
JOB = Job(ID, "demo", "uuid", SPEC, JobState.RUNNING, "2026-01-31T12:30:00+00:00", ("application_1_0001",))
OUTPUT = (
    Output(Channel.STDOUT, b"one"),
    Output(Channel.NOTE, b"waits for the queue"),
    Output(Channel.STDERR, b"warning\xff\n"),
    Output(Channel.STDOUT, b"two\n"),
)


def ended(exit_code: int) -> Outcome:
    state = JobState.FAILED if exit_code else JobState.SUCCEEDED
    return Outcome(state, exit_code, f"{ID} ended with {exit_code}", "2026-01-31T12:31:30+00:00", 90)


@dataclass
class FakeJobs:
    """One job, which ends as the test says."""

    outcome_: Outcome = field(default_factory=lambda: ended(0))
    error: BaseException | None = None
    breaks: BaseException | None = None
    submitted: list[tuple[str, JobSpec, str]] = field(default_factory=list)

    def new_id(self) -> str:
        return ID

    def submit(self, cluster: str, spec: JobSpec, job_id: str = "") -> Job:
        if self.error:
            raise self.error
        self.submitted.append((cluster, spec, job_id))
        return JOB

    def follow(self, job_id: str, *, from_start: bool = True) -> Iterator[Output]:
        if job_id == "job-1":
            raise NotFound(f"there is no job {job_id!r}")
        yield from OUTPUT if from_start else OUTPUT[1:2]
        if self.breaks:
            raise self.breaks

    def logs(self, job_id: str) -> Iterator[Output]:
        return self.follow(job_id)

    def outcome(self, job_id: str) -> Outcome:
        return self.outcome_

    def list(self, cluster: str = "") -> tuple[Job, ...]:
        return (replace(JOB, outcome=self.outcome_, state=self.outcome_.state),) if cluster != "empty" else ()

    def show(self, job_id: str) -> JobStatus:
        return JobStatus(JOB, f"{ID} runs")

    def kill(self, job_id: str) -> Job:
        return JOB


@pytest.fixture
def jobs(howdah: Howdah) -> FakeJobs:
    found = FakeJobs()

    class JobsClient(WorldClient):
        @property
        def jobs(self) -> Any:
            return found

    howdah.make_client = lambda progress: JobsClient(WorldInstallation(howdah.world), progress)
    return found


@pytest.mark.parametrize("code", [0, 1, 2, 3, 42])
def test_a_job_s_output_comes_apart_and_its_exit_code_is_returned(howdah: Howdah, jobs: FakeJobs, code: int) -> None:
    jobs.outcome_ = ended(code)
    result = howdah("submit", "demo", "spark", "wordcount.py")
    assert result.exit_code == code
    assert result.stdout == "onetwo\n"
    assert b"warning\xff\n" in result.stderr_bytes
    assert "waits for the queue" in result.stderr
    assert result.stderr.splitlines()[-1] == f"howdah: {ID} ended with {code}"


@pytest.mark.parametrize("error", [UserError("x"), NotFound("x"), Transient("x"), RuntimeError("x")])
def test_a_job_that_is_not_sent_is_125(howdah: Howdah, jobs: FakeJobs, error: Exception) -> None:
    jobs.error = error
    assert howdah("submit", "demo", "spark", "wordcount.py").exit_code == 125


def test_losing_sight_of_a_job_is_125(howdah: Howdah, jobs: FakeJobs) -> None:
    jobs.breaks = Transient("it goes on", fix="howdah jobs wait")
    assert howdah("submit", "demo", "spark", "wordcount.py").exit_code == 125


@pytest.mark.parametrize("where", ["error", "breaks"])
def test_an_interruption_says_how_to_go_on(howdah: Howdah, jobs: FakeJobs, where: str) -> None:
    setattr(jobs, where, KeyboardInterrupt())
    result = howdah("submit", "demo", "spark", "wordcount.py")
    assert result.exit_code == 130
    assert f"howdah jobs wait {ID}" in result.stderr


def test_what_comes_after_the_program_is_its_own(howdah: Howdah, jobs: FakeJobs) -> None:
    howdah.well("submit", "demo", "spark", "--conf", "spark.a=1=2", "--file", "x.py", "w.py", "--conf", "-h", "--", "z")
    howdah.well("submit", "demo", "spark", "--class", "org.Main", "--deploy-mode", "cluster", "--id", "mine", "a.jar")
    howdah.well("submit", "demo", "mapreduce", "a.jar", "wordcount", "-D", "x=y")
    howdah.well("submit", "demo", "streaming", "--file", "map.py", "--", "-mapper", "map.py")
    assert jobs.submitted == [
        (
            "demo",
            JobSpec(
                JobKind.SPARK,
                "w.py",
                ("--conf", "-h", "--", "z"),
                files=("x.py",),
                settings={"spark.a": "1=2"},
            ),
            ID,
        ),
        (
            "demo",
            JobSpec(JobKind.SPARK, "a.jar", main_class="org.Main", deploy_mode=DeployMode.CLUSTER),
            "mine",
        ),
        ("demo", JobSpec(JobKind.MAPREDUCE, "a.jar", ("wordcount", "-D", "x=y")), ID),
        ("demo", JobSpec(JobKind.STREAMING, "", ("-mapper", "map.py"), files=("map.py",)), ID),
    ]


@pytest.mark.parametrize("words", [("spark",), ("spark", "--deploy-mode", "moon", "w.py"), ("pig", "x")])
def test_words_that_make_no_job_end_with_2(howdah: Howdah, jobs: FakeJobs, words: tuple[str, ...]) -> None:
    assert howdah("submit", "demo", *words).exit_code == 2


def test_a_bad_setting_is_refused(howdah: Howdah, jobs: FakeJobs) -> None:
    result = howdah("submit", "demo", "spark", "--conf", "x", "w.py")
    assert result.exit_code == 125
    assert "--conf KEY=VALUE" in result.stderr


def test_a_detached_job_prints_its_id_alone(howdah: Howdah, jobs: FakeJobs) -> None:
    assert howdah.well("submit", "demo", "spark", "--detach", "w.py") == f"{ID}\n"


def test_jobs_are_listed_and_shown(howdah: Howdah, jobs: FakeJobs) -> None:
    assert "succeeded" in howdah.well("jobs", "list")
    assert "1m30s" in howdah.well("jobs", "list", "demo")
    assert "no jobs" in howdah.well("jobs", "list", "empty")
    (listed,) = json.loads(howdah.well("jobs", "list", "--json"))
    keys = ("id", "cluster", "kind", "program", "arguments", "state", "submitted_at", "applications", "outcome")
    assert sorted(listed) == sorted(keys)
    assert sorted(listed["outcome"]) == ["ended_at", "exit_code", "seconds", "sentence", "state"]
    assert howdah.well("jobs", "show", ID).splitlines()[0] == f"{ID} runs"
    assert json.loads(howdah.well("jobs", "show", ID, "--json"))["sentence"] == f"{ID} runs"


def test_waiting_returns_the_job_s_code(howdah: Howdah, jobs: FakeJobs) -> None:
    jobs.outcome_ = ended(7)
    result = howdah("jobs", "wait", ID)
    assert (result.exit_code, result.stdout) == (7, f"{ID} ended with 7\n")
    assert "waits for the queue" in result.stderr
    assert howdah("jobs", "wait", "job-1").exit_code == 125


@pytest.mark.parametrize("words", [(), ("-f",)])
def test_logs_of_a_job_come_apart(howdah: Howdah, jobs: FakeJobs, words: tuple[str, ...]) -> None:
    assert howdah("jobs", "logs", ID, *words).stdout == "onetwo\n"


def test_a_job_that_is_being_ended_is_told(howdah: Howdah, jobs: FakeJobs) -> None:
    assert "running" in howdah.well("jobs", "kill", ID)
