"""A cluster's gateway, where jobs run: the calls of runner_program.py, through the Engine port."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from howdah.errors import Failed
from howdah.jobs.commands import JOBS_FOLDER, SHARED_FOLDER
from howdah.ports.engine import Engine, ExecResult

_PYTHON = ("python3", "-I", "-S", "-c")
CONTAINER_LOG = 32 * 1024
"""Bytes of each log file of a container that are asked for."""


class ClientPhase(StrEnum):
    """What the gateway knows of a job (runner_program.phase_of)."""

    ABSENT = "absent"
    STAGED = "staged"
    RUNNING = "running"
    ENDED = "ended"
    GONE = "gone"

    @property
    def is_startable(self) -> bool:
        """Whether nothing of the job has run."""
        return self in (ClientPhase.ABSENT, ClientPhase.STAGED)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job's client ended. Times are seconds since 1970."""

    exit_code: int
    signal: int
    began: float
    ended: float
    was_out_of_memory: bool
    was_killed: bool


@dataclass(frozen=True, slots=True)
class Report:
    """Where a job stands in the gateway, and the last 64 KiB of each stream."""

    phase: ClientPhase
    ending: Ending | None
    stdout: str
    stderr: str


class FollowEnd(StrEnum):
    """Why a call of ``follow`` ended."""

    ENDED = "ended"
    SILENT = "silent"
    GONE = "gone"
    NOT_STARTED = "not started"


_FOLLOW_ENDS = {0: FollowEnd.ENDED, 75: FollowEnd.SILENT, 76: FollowEnd.GONE, 77: FollowEnd.NOT_STARTED}


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway's container. Every call raises Transient where the engine or the container does not answer."""

    engine: Engine
    container: str
    jobs_folder: str = JOBS_FOLDER

    def start(self, job_id: str, archive: bytes) -> bool:
        """Send the job and run it, once. False where it was started before. Raises Failed where it cannot be."""
        return bool(self._ask("start", job_id, stdin=archive)["started"])

    def report(self, job_id: str) -> Report:
        """Where the job stands."""
        said = self._ask("state", job_id)
        ending = said["exit"]
        return Report(
            ClientPhase(said["phase"]),
            None
            if ending is None
            else Ending(
                exit_code=int(ending["code"]),
                signal=int(ending["signal"]),
                began=float(ending["began"]),
                ended=float(ending["ended"]),
                was_out_of_memory=bool(ending["out_of_memory"]),
                was_killed=bool(ending["killed"]),
            ),
            str(said["stdout"]),
            str(said["stderr"]),
        )

    def follow(self, job_id: str, stdout: int, stderr: int, silence: float) -> "Following":
        """The job's output from these offsets on, until it ends or says nothing for ``silence`` seconds."""
        arguments = ("follow", self.jobs_folder, job_id, str(stdout), str(stderr), str(silence))
        return Following(self.engine, self.container, (*_PYTHON, _program(), *arguments))

    def kill(self, job_id: str) -> bool:
        """End the job's client. False where none runs."""
        return bool(self._ask("kill", job_id)["ran"])

    def shared_jars(self) -> tuple[str, ...]:
        """The jars that come with the image and are on no class path."""
        result = self.engine.exec(self.container, ("find", SHARED_FOLDER, "-name", "*.jar"))
        return tuple(sorted(result.stdout.decode().split("\n")[:-1])) if result.exit_code == 0 else ()

    def container_logs(self, application: str) -> str:
        """What the containers of an application wrote, the last of each file. Costs a JVM: for failures only."""
        files = ("-log_files", "stdout,stderr,syslog", "-size", f"-{CONTAINER_LOG}")
        result = self.engine.exec(self.container, ("yarn", "logs", "-applicationId", application, *files))
        return result.stdout.decode("utf-8", "replace") if result.exit_code == 0 else ""

    def kill_application(self, application: str) -> None:
        """Ask YARN to end what goes on without its client."""
        self.engine.exec(self.container, ("yarn", "app", "-kill", application))

    def _ask(self, verb: str, job_id: str, stdin: bytes = b"") -> Any:
        argv = (*_PYTHON, _program(), verb, self.jobs_folder, job_id)
        result: ExecResult = self.engine.exec(self.container, argv, stdin=stdin)
        if result.exit_code != 0:
            said = result.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise Failed(f"{verb} job {job_id} in {self.container}: {said or f'exit code {result.exit_code}'}")
        return json.loads(result.stdout)


class Following:
    """A call of ``follow``: iterate over (is standard error, bytes), then ask why it ended."""

    def __init__(self, engine: Engine, container: str, argv: tuple[str, ...]) -> None:
        self._stream = engine.exec_stream(container, argv)

    def __iter__(self) -> Iterator[tuple[bool, bytes]]:
        return iter(self._stream)

    def end(self) -> FollowEnd | None:
        """After the last output. None where the call itself was cut off."""
        return _FOLLOW_ENDS.get(self._stream.exit_code())


@cache
def _program() -> str:
    return resources.files("howdah.jobs").joinpath("runner_program.py").read_text(encoding="utf-8")
