"""The program in the gateway: one start of a job wins, and what it says is not lost."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from howdah.errors import Failed
from howdah.jobs import staging
from howdah.jobs.commands import command
from howdah.jobs.gateway import ClientPhase, FollowEnd, Gateway
from howdah.model.job import JobKind, JobSpec
from tests.unit.jobs.fakes import World


def _archive(world: World, job_id: str = "job-1") -> bytes:
    spec = JobSpec(JobKind.SPARK, world.file("app.py"))
    return staging.archive(spec, command(spec, job_id, "app.py"))


@pytest.fixture
def gateway(world: World) -> Gateway:
    return Gateway(world.engine, "sales-gw1")


def test_of_many_starts_at_once_one_runs_the_job(world: World, gateway: Gateway) -> None:
    world.program("spark-submit", "exec sleep 2")
    archive, together = _archive(world), threading.Barrier(4)

    def start(_: int) -> bool:
        together.wait()
        return gateway.start("job-1", archive)

    with ThreadPoolExecutor(4) as pool:
        started = list(pool.map(start, range(4)))
    assert sorted(started) == [False, False, False, True]
    list(gateway.follow("job-1", 0, 0, 60.0))
    assert len(world.runs()) == 1
    assert [path.name for path in (world.folder / "jobs").iterdir()] == ["job-1"]


def test_half_an_archive_starts_nothing_and_leaves_nothing(world: World, gateway: Gateway) -> None:
    world.program("spark-submit")
    archive = _archive(world)
    for size in (0, 700, archive.index(b"job.json")):
        with pytest.raises(Failed, match="did not arrive whole"):
            gateway.start("job-1", archive[:size])
        assert list((world.folder / "jobs").iterdir()) == []
    assert gateway.start("job-1", archive)


def test_a_job_that_cannot_begin_is_not_one_that_ran(world: World, gateway: Gateway) -> None:
    world.program("spark-submit")
    (world.folder / "conf" / "mapred-site.xml").unlink()
    (world.folder / "conf").rmdir()
    with pytest.raises(Failed):
        gateway.start("job-1", _archive(world))
    assert gateway.report("job-1").phase is ClientPhase.STAGED
    (world.folder / "conf").mkdir()
    assert gateway.start("job-1", _archive(world))
    following = gateway.follow("job-1", 0, 0, 60.0)
    assert list(following) == []
    assert following.end() is FollowEnd.ENDED
    assert len(world.runs()) == 1


def test_a_client_that_is_not_in_the_image_is_an_ending(world: World, gateway: Gateway) -> None:
    assert gateway.start("job-1", _archive(world))
    list(gateway.follow("job-1", 0, 0, 60.0))
    report = gateway.report("job-1")
    assert report.ending is not None
    assert report.ending.exit_code == 127
    assert report.stderr == "spark-submit: No such file or directory\n"


def test_following_takes_up_in_the_middle_and_ends_in_silence(world: World, gateway: Gateway) -> None:
    world.program("spark-submit", "echo 0123456789", "exec sleep 60")
    gateway.start("job-1", _archive(world))
    following = gateway.follow("job-1", 4, 0, 0.5)
    assert b"".join(content for _, content in following) == b"456789\n"
    assert following.end() is FollowEnd.SILENT
    assert gateway.kill("job-1")
    assert not gateway.kill("job-1")


def test_what_a_client_left_running_ends_with_it(world: World, gateway: Gateway) -> None:
    world.program("spark-submit", 'sleep 600 & echo $! > "$RUNS.child"')
    gateway.start("job-1", _archive(world))
    list(gateway.follow("job-1", 0, 0, 60.0))
    child = int(Path(f"{world.folder}/runs.child").read_text())
    status = Path(f"/proc/{child}/stat")
    assert not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_signal_is_an_exit_code_as_in_a_shell(world: World, gateway: Gateway) -> None:
    world.program("spark-submit", "kill -9 $$")
    gateway.start("job-1", _archive(world))
    list(gateway.follow("job-1", 0, 0, 60.0))
    ending = gateway.report("job-1").ending
    assert ending is not None
    assert (ending.exit_code, ending.signal) == (137, 9)


def test_a_broken_pipe_ends_a_client_quietly_as_in_a_shell(world: World, gateway: Gateway) -> None:
    world.program("spark-submit", "yes | head -1")
    gateway.start("job-1", _archive(world))
    list(gateway.follow("job-1", 0, 0, 60.0))
    report = gateway.report("job-1")
    assert (report.stdout, report.stderr) == ("y\n", "")
