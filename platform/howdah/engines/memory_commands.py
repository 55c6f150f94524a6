"""Commands and root's work on the engine in memory."""

import subprocess
import sys
from collections.abc import Callable, Iterator

from howdah.errors import Failed, Transient
from howdah.ports.engine import ExecResult


class MemoryExecStream:
    """A command that runs when its input has ended, or when its output is asked for."""

    def __init__(self, run: Callable[[bytes], ExecResult]) -> None:
        self._run = run
        self._stdin = bytearray()
        self._result: ExecResult | None = None

    def __iter__(self) -> Iterator[tuple[bool, bytes]]:
        result = self._ended()
        for is_error, output in ((False, result.stdout), (True, result.stderr)):
            if output:
                yield is_error, output

    def exit_code(self) -> int:
        """How it ended."""
        return self._ended().exit_code

    def write(self, data: bytes) -> None:
        """To its standard input."""
        self._stdin += data

    def close_stdin(self) -> None:
        """End its standard input."""
        self._ended()

    def _ended(self) -> ExecResult:
        if self._result is None:
            self._result = self._run(bytes(self._stdin))
        return self._result


class MemoryHelper:
    """Root's work, done here: for trying programs out in a temporary folder."""

    def __init__(self, check_answers: Callable[[], None]) -> None:
        self._check_answers = check_answers
        self._is_open = True

    def call(self, program: str, request: bytes) -> bytes:
        """Run a Python program with the request on its standard input. Raises Failed with its standard error."""
        self._check_answers()
        if not self._is_open:
            raise Transient("the helper has ended", fix="try again")
        command = [sys.executable, "-I", "-S", "-c", program]
        result = subprocess.run(command, input=request, capture_output=True, check=False)
        if result.returncode:
            said = result.stderr.decode("utf-8", "replace").strip()
            raise Failed(f"root's work on the host failed with exit code {result.returncode}: {said}")
        return result.stdout

    def close(self) -> None:
        """It takes no more calls."""
        self._is_open = False
