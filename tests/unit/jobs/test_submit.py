"""A job runs exactly once, whatever becomes of the process that submits it, and its outcome is known afterwards."""

import json
import os
import signal
from pathlib import Path

import pytest

from howdah.errors import Conflict, NotFound, Transient, UserError
from howdah.jobs.submit import Channel, Jobs
from howdah.model.cluster import ClusterPhase
from howdah.model.job import DeployMode, JobKind, JobSpec, JobState
from tests.unit.jobs.fakes import Killed, World

JOB = "job-1"


def _spec(world: World, *arguments: str) -> JobSpec:
    return JobSpec(JobKind.SPARK, world.file("app.py"), arguments)


def _output(jobs: Jobs, job_id: str = JOB) -> dict[Channel, bytes]:
    said = dict.fromkeys(Channel, b"")
    for output in jobs.follow(job_id):
        said[output.channel] += output.content
    return said


# ------------------------------------------------------------------------------------------------ killed anywhere


def _count_effects(folder: Path) -> int:
    seen: list[str] = []
    folder.mkdir()
    world = World(folder)
    world.program("spark-submit")
    world.effect = lambda when, what: seen.append(what) if when == "before" else None
    world.jobs().submit("sales", _spec(world), JOB)
    return len(seen)


def test_a_submitter_killed_before_or_after_any_effect_leaves_a_job_that_runs_exactly_once(tmp_path: Path) -> None:
    effects = _count_effects(tmp_path / "count")
    assert effects == 3, "the record, the start, the record again"
    for number in range(effects):
        for when in ("before", "after"):
            folder = tmp_path / f"{number}-{when}"
            folder.mkdir()
            world = World(folder)
            world.program("spark-submit", "echo result", "exit 4")
            spec = _spec(world)
            countdown = [number]

            def kill(moment: str, what: str, when: str = when, countdown: list[int] = countdown) -> None:
                if moment == when:
                    countdown[0] -= 1
                    if countdown[0] < 0:
                        raise Killed

            world.effect = kill
            with pytest.raises(Killed):
                world.jobs().submit("sales", spec, JOB)
            world.effect = lambda when, what: None

            world.jobs().submit("sales", spec, JOB)
            outcome = world.jobs().wait(JOB)

            assert len(world.runs()) == 1, f"killed {when} effect {number}"
            assert (outcome.state, outcome.exit_code) == (JobState.FAILED, 4)
            assert _output(world.jobs())[Channel.STDOUT] == b"result\n"


def test_a_job_whose_submitter_was_killed_is_found_by_whoever_asks(world: World) -> None:
    world.program("spark-submit")

    def kill(when: str, what: str) -> None:
        if (when, what) == ("after", "exec"):
            raise Killed

    world.effect = kill
    with pytest.raises(Killed):
        world.jobs().submit("sales", _spec(world), JOB)
    world.effect = lambda when, what: None
    stored = world.records.job(JOB)
    assert stored is not None
    assert stored.value.state is JobState.SUBMITTING

    assert world.jobs().wait(JOB).state is JobState.SUCCEEDED
    assert [job.state for job in world.jobs().list("sales")] == [JobState.SUCCEEDED]


def test_a_job_that_was_never_sent_says_so(world: World) -> None:
    world.program("spark-submit")

    def kill(when: str, what: str) -> None:
        if what == "exec":
            raise Killed

    world.effect = kill
    with pytest.raises(Killed):
        world.jobs().submit("sales", _spec(world), JOB)
    world.effect = lambda when, what: None
    assert "was not started yet" in world.jobs().show(JOB).sentence
    with pytest.raises(UserError, match="not started"):
        world.jobs().wait(JOB)
    assert world.jobs().kill(JOB).state is JobState.KILLED
    assert world.runs() == []


def test_submitting_an_ended_job_again_runs_nothing(world: World) -> None:
    world.program("spark-submit")
    spec = _spec(world)
    world.jobs().submit("sales", spec, JOB)
    world.jobs().wait(JOB)
    os.unlink(spec.program)
    assert world.jobs().submit("sales", spec, JOB).state is JobState.SUCCEEDED
    assert len(world.runs()) == 1


def test_an_id_belongs_to_one_job(world: World) -> None:
    world.program("spark-submit")
    world.jobs().submit("sales", _spec(world, "1"), JOB)
    with pytest.raises(Conflict):
        world.jobs().submit("sales", _spec(world, "2"), JOB)


def test_a_broken_connection_is_taken_up_where_it_was(world: World) -> None:
    world.program("spark-submit", "echo one", "echo two >&2", "echo three")
    world.jobs().submit("sales", _spec(world), JOB)
    world.jobs().wait(JOB)
    broken = [2]

    def break_off(when: str, what: str) -> None:
        if when == "before" and broken[0]:
            broken[0] -= 1
            raise Transient("the engine went away")

    world.effect = break_off
    said = _output(world.jobs())
    assert (said[Channel.STDOUT], said[Channel.STDERR]) == (b"one\nthree\n", b"two\n")


def test_a_gateway_that_stays_away_ends_the_waiting_not_the_job(world: World) -> None:
    world.program("spark-submit", "exec sleep 60")
    world.jobs().submit("sales", _spec(world), JOB)
    world.engine.is_down = True
    with pytest.raises(Transient, match="goes on") as caught:
        world.jobs().wait(JOB)
    assert f"jobs wait {JOB}" in caught.value.fix
    assert "as far as is known" in world.jobs().show(JOB).sentence
    world.engine.is_down = False
    assert world.jobs().kill(JOB).state is JobState.KILLED


# ------------------------------------------------------------------------------------------------ outcomes


def test_output_is_kept_apart_and_the_exit_code_is_the_jobs(world: World) -> None:
    world.program(
        "spark-submit", "echo out", "printf 'Traceback (most recent call last):\\nKeyError: 3\\n' >&2", "exit 7"
    )
    world.jobs().submit("sales", _spec(world), JOB)
    said = _output(world.jobs())
    assert said[Channel.STDOUT] == b"out\n"
    assert said[Channel.STDERR].endswith(b"KeyError: 3\n")
    outcome = world.jobs().outcome(JOB)
    assert outcome.exit_code == 7
    assert outcome.sentence == f"{JOB} failed with exit code 7 after {outcome.seconds}s: KeyError: 3"


def test_a_job_that_is_killed_says_so(world: World) -> None:
    world.program("spark-submit", "sleep 60 & wait")
    world.jobs().submit("sales", _spec(world), JOB)
    job = world.jobs().kill(JOB)
    assert job.state is JobState.KILLED
    assert job.outcome is not None
    assert job.outcome.exit_code == 128 + signal.SIGTERM


def _lose(world: World) -> None:
    """As when the gateway goes down: supervisor and client die at once."""
    folder = world.folder / "jobs" / JOB
    client = int((folder / "pid").read_text())
    supervisor = int(Path(f"/proc/{client}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(supervisor, signal.SIGKILL)
    os.killpg(client, signal.SIGKILL)


@pytest.mark.parametrize("said", ["SUCCEEDED", "FAILED"])
def test_a_job_whose_gateway_went_down_is_lost_and_not_run_again(world: World, said: str) -> None:
    world.program("spark-submit", "exec sleep 60")
    spec = _spec(world)
    world.jobs().submit("sales", spec, JOB)
    # YARN's word on a driver that vanished.
    world.applications = [{"id": "application_1_0001", "state": "FINISHED", "finalStatus": said}]
    _lose(world)
    outcome = world.jobs().wait(JOB)
    assert (outcome.state, outcome.exit_code) == (JobState.LOST, 125)
    world.jobs().submit("sales", spec, JOB)
    assert len(world.runs()) == 1


def test_a_driver_in_the_cluster_outlives_its_client(world: World) -> None:
    world.program("spark-submit", "exec sleep 60")
    spec = JobSpec(JobKind.SPARK, world.file("app.py"), deploy_mode=DeployMode.CLUSTER)
    world.jobs().submit("sales", spec, JOB)
    world.applications = [{"id": "application_1_0001", "state": "RUNNING", "finalStatus": "UNDEFINED", "progress": 50}]
    _lose(world)
    status = world.jobs().show(JOB)
    assert status.job.state is JobState.RUNNING
    assert status.sentence == f"{JOB}: application_1_0001 runs (50 %)"
    world.applications = [{"id": "application_1_0001", "state": "FINISHED", "finalStatus": "SUCCEEDED"}]
    outcome = world.jobs().wait(JOB)
    assert (outcome.state, outcome.exit_code) == (JobState.SUCCEEDED, 0)


def test_what_a_job_waits_for_is_told(world: World) -> None:
    world.program("spark-submit", "exec sleep 60")
    world.jobs().submit("sales", _spec(world), JOB)
    world.applications = [
        {"id": "application_1_0001", "state": "ACCEPTED", "diagnostics": "Queue's AM resource limit exceeded. "}
    ]
    status = world.jobs().show(JOB)
    assert status.sentence == f"{JOB}: application_1_0001 waits for: Queue's AM resource limit exceeded."
    assert status.job.applications == ("application_1_0001",)
    world.jobs().kill(JOB)


def test_a_job_of_a_deleted_cluster_is_lost_and_its_outcome_is_kept_where_it_was_seen(world: World) -> None:
    world.program("spark-submit")
    world.jobs().submit("sales", _spec(world), JOB)
    world.jobs().submit("sales", _spec(world), "job-2")
    world.jobs().wait("job-2")
    world.records.forget_cluster("sales")
    assert world.jobs().show(JOB).job.state is JobState.LOST
    assert world.jobs().show("job-2").job.state is JobState.SUCCEEDED
    with pytest.raises(NotFound, match="is gone"):
        next(world.jobs().logs(JOB))


# ------------------------------------------------------------------------------------------------ refused before


@pytest.mark.parametrize("phase", [phase for phase in ClusterPhase if phase is not ClusterPhase.READY])
def test_a_cluster_that_is_not_ready_takes_no_job(tmp_path: Path, phase: ClusterPhase) -> None:
    world = World(tmp_path, phase)
    with pytest.raises(UserError, match=f"cluster sales is {phase}") as caught:
        world.jobs().submit("sales", _spec(world), JOB)
    assert caught.value.fix
    if phase is ClusterPhase.LAUNCHING:
        assert "waits for nn1, dn1, rm1, nm1, gw1" in caught.value.what
    assert world.records.job_ids() == ()


def test_a_missing_file_is_named_and_nothing_is_left_behind(world: World) -> None:
    with pytest.raises(UserError, match=r"/no/such/app\.py is not there"):
        world.jobs().submit("sales", JobSpec(JobKind.SPARK, "/no/such/app.py"), JOB)
    assert world.records.job_ids() == ()
    assert world.runs() == []


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (JobSpec(JobKind.SPARK), "needs a program"),
        (JobSpec(JobKind.MAPREDUCE, "/"), "is a folder"),
        (JobSpec(JobKind.STREAMING, files=(__file__, f"/nowhere/../{__file__}")), "is not there|same name"),
        (JobSpec(JobKind.SPARK, __file__, ("x" * 2**17,)), "128 KiB"),
    ],
)
def test_what_cannot_run_is_refused(world: World, spec: JobSpec, message: str) -> None:
    with pytest.raises(UserError, match=message):
        world.jobs().submit("sales", spec)


def test_ids_that_cannot_be_are_the_users_mistake(world: World) -> None:
    with pytest.raises(UserError):
        world.jobs().submit("sales", _spec(world), "Job/1")
    with pytest.raises(NotFound):
        world.jobs().show("../x")


# ------------------------------------------------------------------------------------------------ what arrives


def test_files_and_settings_arrive(world: World) -> None:
    world.program("hadoop", "ls", 'cat "$HADOOP_CONF_DIR/mapred-site.xml" >&2', "cat data.txt")
    # The configuration's path in the environment is the gateway's, which this machine does not have.
    program = (world.folder / "bin" / "hadoop").read_text().replace("$HADOOP_CONF_DIR", "../conf")
    (world.folder / "bin" / "hadoop").write_text(program)
    spec = JobSpec(
        JobKind.MAPREDUCE,
        world.file("x.jar", "jar"),
        ("Main", "a b"),
        files=(world.file("data.txt", "data"),),
        settings={"mapreduce.map.memory.mb": "512 & more"},
    )
    world.jobs().submit("sales", spec, JOB)
    said = _output(world.jobs())
    assert said[Channel.STDOUT] == b"data.txt\nx.jar\ndata"
    assert f"<name>mapreduce.job.tags</name><value>{JOB}</value>".encode() in said[Channel.STDERR]
    assert b"<value>512 &amp; more</value>" in said[Channel.STDERR]
    assert world.runs()[0].endswith("hadoop jar x.jar Main a b")


def test_old_jobs_are_let_go(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("howdah.jobs.submit.RECORDS_KEPT", 2)
    world.program("spark-submit")
    for number in range(4):
        world.jobs().submit("sales", _spec(world), f"job-{number}")
        world.jobs().wait(f"job-{number}")
    assert world.records.job_ids() == ("job-1", "job-2", "job-3")


def test_the_record_reads_back(world: World) -> None:
    world.program("spark-submit")
    spec = JobSpec(JobKind.SPARK, world.file("app.py"), ("ä", ""), "Main", (), {"spark.x": "1"}, DeployMode.CLUSTER)
    job = world.jobs().submit("sales", spec)
    stored = world.records.job(job.id)
    assert stored is not None
    assert stored.value == job
    assert json.dumps(job.id)
    world.jobs().wait(job.id)
