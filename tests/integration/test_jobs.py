"""Jobs on a real cluster: they run once whatever becomes of the submitter, and their outcome and its cause are told."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from howdah.jobs.submit import Channel, Jobs
from howdah.model.job import DeployMode, Job, JobKind, JobSpec, JobState
from tests.integration.conftest import RunningCluster
from tests.integration.place import command_line

pytestmark = [pytest.mark.engine, pytest.mark.slow]

EXAMPLES = "local:hadoop-mapreduce-examples"
PI = "local:/opt/spark/examples/src/main/python/pi.py"
TICKS = """
import time
print("begun", flush=True)
for number in range(20):
    time.sleep(0.5)
with open("/scratch/runs-{mark}", "a") as file:
    file.write("once\\n")
print("ended", flush=True)
"""


@pytest.fixture
def jobs(cluster: RunningCluster) -> Iterator[Jobs]:
    with cluster.place.client() as client:
        yield client.jobs


def until(what: str, holds: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"after {seconds} s still not so: {what}"
        time.sleep(0.2)


def output(jobs: Jobs, job_id: str) -> dict[Channel, str]:
    said = dict.fromkeys(Channel, b"")
    for piece in jobs.follow(job_id):
        said[piece.channel] += piece.content
    return {channel: content.decode() for channel, content in said.items()}


def is_running(jobs: Jobs, job_id: str) -> Callable[[], bool]:
    return lambda: any(each.state == "RUNNING" for each in jobs.show(job_id).applications)


def test_spark_gives_its_result_on_standard_output_alone(cluster: RunningCluster, jobs: Jobs) -> None:
    ended = cluster.place.howdah("submit", cluster.name, "spark", PI, "2")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("Pi is roughly 3.1")
    assert "succeeded after" in ended.stderr
    job = jobs.list(cluster.name)[-1]
    assert (job.state, len(job.applications)) == (JobState.SUCCEEDED, 1), "found by its tag"


def test_mapreduce_of_any_main_class_is_found_by_its_tag(cluster: RunningCluster, jobs: Jobs) -> None:
    settings = {"mapreduce.job.ubertask.enable": "false", "mapreduce.map.memory.mb": "256"}
    spec = JobSpec(JobKind.MAPREDUCE, EXAMPLES, ("pi", "1", "10"), settings=settings)
    outcome = jobs.wait(jobs.submit(cluster.name, spec).id)
    job = jobs.list(cluster.name)[-1]
    assert (outcome.state, outcome.exit_code, len(job.applications)) == (JobState.SUCCEEDED, 0, 1), outcome.sentence
    assert "Estimated value of Pi" in output(jobs, job.id)[Channel.STDOUT]


def test_streaming_takes_its_programs_along(cluster: RunningCluster, jobs: Jobs, tmp_path: Path) -> None:
    mapper, words = tmp_path / "mapper.py", tmp_path / "words"
    mapper.write_text("import sys\nfor line in sys.stdin:\n    print(line.strip()[::-1])\n")
    words.write_text("hadwoh\n")
    mark = f"/user/hadoop/streaming-{time.time_ns()}"
    cluster.place.done("hdfs", cluster.name, "put", str(words), f"{mark}-in")
    arguments = ("-input", f"{mark}-in", "-output", mark, "-mapper", "python3 mapper.py", "-reducer", "/bin/cat")
    outcome = jobs.wait(jobs.submit(cluster.name, JobSpec(JobKind.STREAMING, "", arguments, files=(str(mapper),))).id)
    assert outcome.exit_code == 0, outcome.sentence
    assert cluster.place.done("hdfs", cluster.name, "cat", f"{mark}/part-*").strip() == "howdah"
    cluster.place.done("hdfs", cluster.name, "rm", "-r", "--skip-trash", "--yes", mark, f"{mark}-in")


@pytest.mark.parametrize(
    ("program", "code", "cause"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("print(1 / 0)", 1, "ZeroDivisionError: division by zero"),
        ("x = bytearray(16 * 2**30)\nx[::4096] = b'1' * len(x[::4096])", 137, "the gateway ran out of memory"),
    ],
)
def test_a_failure_has_its_exit_code_and_its_cause(
    cluster: RunningCluster, jobs: Jobs, tmp_path: Path, program: str, code: int, cause: str
) -> None:
    path = tmp_path / "app.py"
    path.write_text(program)
    outcome = jobs.wait(jobs.submit(cluster.name, JobSpec(JobKind.SPARK, str(path))).id)
    assert (outcome.state, outcome.exit_code) == (JobState.FAILED, code), outcome.sentence
    assert cause in outcome.sentence


def test_a_failure_inside_of_the_cluster_has_its_cause(cluster: RunningCluster, jobs: Jobs, tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.write_text("raise ValueError('from far away')\n")
    spec = JobSpec(JobKind.SPARK, str(path), deploy_mode=DeployMode.CLUSTER)
    outcome = jobs.wait(jobs.submit(cluster.name, spec).id)
    assert (outcome.state, outcome.exit_code) == (JobState.FAILED, 1)
    assert "ValueError: from far away" in outcome.sentence


def test_an_output_path_that_exists_is_named(cluster: RunningCluster, jobs: Jobs) -> None:
    cluster.place.done("hdfs", cluster.name, "mkdir", "-p", "/user/hadoop/there")
    spec = JobSpec(JobKind.MAPREDUCE, EXAMPLES, ("wordcount", "/user/hadoop/there", "/user/hadoop/there"))
    outcome = jobs.wait(jobs.submit(cluster.name, spec).id)
    assert outcome.exit_code != 0
    assert "/user/hadoop/there already exists" in outcome.sentence


def test_a_job_outlives_the_howdah_that_submitted_it(cluster: RunningCluster, jobs: Jobs, tmp_path: Path) -> None:
    mark = jobs.new_id()
    path = tmp_path / "app.py"
    path.write_text(TICKS.replace("{mark}", mark))
    command = command_line("submit", cluster.name, "spark", "--id", mark, str(path))
    submitter = subprocess.Popen(
        command, env=cluster.place.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with submitter:
        assert submitter.stdout is not None
        assert submitter.stdout.readline() == b"begun\n"
        submitter.send_signal(signal.SIGKILL)
    again = cluster.place.howdah("submit", cluster.name, "spark", "--id", mark, str(path))
    assert (again.returncode, again.stdout) == (0, "begun\nended\n"), again.stderr
    assert cluster.place.done("exec", cluster.name, "gw1", "--", "cat", f"/scratch/runs-{mark}") == "once\n"


def test_a_killed_job_leaves_nothing_on_yarn(cluster: RunningCluster, jobs: Jobs, tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.write_text("from pyspark import SparkContext\nimport time\nSparkContext()\ntime.sleep(600)\n")
    job: Job = jobs.submit(cluster.name, JobSpec(JobKind.SPARK, str(path)))
    until("it runs on YARN", is_running(jobs, job.id))
    assert jobs.kill(job.id).state is JobState.KILLED

    def is_over() -> bool:
        answer = cluster.place.done("exec", cluster.name, "gw1", "--", "yarn", "app", "-list")
        return not any(line.startswith("application_") for line in answer.splitlines())

    until("YARN runs nothing of it", is_over)


def test_a_missing_file_and_an_unknown_cluster_are_the_users_mistakes(cluster: RunningCluster) -> None:
    for argv in (
        ("submit", cluster.name, "spark", "/no/such.py"),
        ("submit", "nowhere", "spark", "/no/such.py"),
        ("submit", cluster.name, "mapreduce", "local:nothing"),
    ):
        ended = cluster.place.howdah(*argv)
        assert ended.returncode == 125, "not a code that the job could have ended with"
        assert "Traceback" not in ended.stderr
        assert "fix" in ended.stderr
