"""Why a job failed, in one sentence, from what it wrote and what YARN says. Pure.

The excerpts that this was made for are in tests/unit/jobs/logs, as real clusters wrote them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

LONGEST = 400
"""Characters of a cause."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of an ended job. ``containers`` is the text of its containers' logs, where they were asked for.

    PySpark in client mode writes what Python writes to both of its streams to standard output.
    """

    exit_code: int
    stdout: str = ""
    stderr: str = ""
    diagnostics: tuple[str, ...] = ()
    containers: str = ""
    was_killed: bool = False
    was_out_of_memory: bool = False


_PYTHON = re.compile(r"^((?:\w+\.)*\w*(?:Error|Exception|Interrupt))(?:: (.*))?$", re.MULTILINE)
_PY4J = re.compile(r"^py4j\.protocol\.Py4JJavaError: .*\n: ((?:\w+\.)+\w+)(?:: (.*))?$", re.MULTILINE)
_MAIN = re.compile(r'^Exception in thread "main" ((?:\w+\.)+[\w$]+)(?:: (.*))?$', re.MULTILINE)
_JAVA = re.compile(r"^((?:[a-z]\w*\.)+[A-Z][\w$]*(?:Exception|Error))(?:: (.*))?\n\tat ", re.MULTILINE)
_CAUSED_BY = re.compile(r"^Caused by: ((?:\w+\.)+[\w$]+): (.*)$", re.MULTILINE)
_HEAP = re.compile(r"java\.lang\.OutOfMemoryError: (.*)$", re.MULTILINE)
_JOB_STATE = re.compile(r"Job \S+ failed with state \w+ due to: (.*)$", re.MULTILINE)
_ATTEMPT = re.compile(r"Diagnostics report from attempt_\w+: (?:Error: )?(\S.*)$", re.MULTILINE)
_LAUNCHER = re.compile(
    r"^(?:Error: .*|Unknown program .*|No Arguments Given!|.*: No such file or directory)$", re.MULTILINE
)
_LOGGED = re.compile(r"^\d[\d:, -]+ ERROR [\w.$]+: (.*)$", re.MULTILINE)
_CONTAINER_KILLED = re.compile(r"[Cc]ontainer .*? is running [\w ]*beyond [^.]*\..*?(?= Killing|$)", re.MULTILINE)

_SAYS_LITTLE = re.compile(
    r"finished with failed status|User application exited with|^Task failed task_|Answer from Java side is empty"
    r"|^Py4JError: An error occurred while calling|[Kk]illed by the ApplicationMaster|Streaming Command Failed"
    r"|^InterruptedIOException|^AM Container for \S+ exited with|^Application \S+ failed \d+ times"
)
"""Such a sentence is taken only where there is no better one."""


def cause(evidence: Evidence) -> str:
    """One sentence, and what to do about it where that is known. Empty where nothing tells."""
    if evidence.was_killed:
        return "killed on request"
    found = [text for find in _FINDERS for text in find(evidence) if text]
    telling = [text for text in found if not _SAYS_LITTLE.search(text)]
    best = (telling or found or [_last_line(evidence)])[0]
    advice = next((words for pattern, words in _ADVICE if pattern.search(best)), "")
    return _short(best) + (f" ({advice})" if advice else "")


def _memory(evidence: Evidence) -> Iterator[str]:
    if evidence.was_out_of_memory:
        yield "the gateway ran out of memory and the kernel killed a process of the job"
    for match in _HEAP.finditer(evidence.stderr):
        yield f"OutOfMemoryError: {match[1]}"


def _python(evidence: Evidence) -> Iterator[str]:
    """The last exception; of one from Java, Java's own words."""
    for text in (evidence.stdout, evidence.stderr):
        java, python = _last(_PY4J, text), _last(_PYTHON, text)
        if java is not None and (python is None or python.start() <= java.start()):
            yield _exception(java)
        elif python is not None and not python[1].startswith(("java.", "org.")):
            yield _exception(python)


def _java(evidence: Evidence) -> Iterator[str]:
    """The last exception of the client, with its innermost cause where that has something to say."""
    for pattern in (_MAIN, _JAVA):
        if match := _last(pattern, evidence.stderr):
            top = _exception(match)
            inner = _last(_CAUSED_BY, evidence.stderr[match.end() :])
            yield f"{top}: {_exception(inner)}" if inner and inner[2] not in top else top


def _containers(evidence: Evidence) -> Iterator[str]:
    """What tasks, executors and drivers in containers said."""
    for pattern in (_CONTAINER_KILLED, _HEAP):
        if match := pattern.search(evidence.containers):
            yield match[0]
    python = _last(_PYTHON, evidence.containers)
    if python and not python[1].startswith(("java.", "org.")):
        yield _exception(python)
    for match in _ATTEMPT.finditer(evidence.containers):
        yield _without_package(match[1])


def _hadoop(evidence: Evidence) -> Iterator[str]:
    """What MapReduce's client and the ResourceManager say."""
    for match in _JOB_STATE.finditer(evidence.stderr):
        yield match[1]
    for text in evidence.diagnostics:
        if killed := _CONTAINER_KILLED.search(text):
            yield killed[0]
        yield text.strip().partition("\n")[0]


def _launcher(evidence: Evidence) -> Iterator[str]:
    for text in (evidence.stderr, evidence.stdout):
        for pattern in (_LOGGED, _LAUNCHER):
            if match := _last(pattern, text):
                yield match[match.lastindex or 0]


_FINDERS: tuple[Callable[[Evidence], Iterator[str]], ...] = (_memory, _python, _java, _hadoop, _containers, _launcher)
"""The most telling first."""

_ADVICE = (
    (re.compile(r"above the max threshold"), "ask for less, or launch with more worker memory"),
    (re.compile(r"supported max container capability"), "ask for less, or launch with more worker memory"),
    (re.compile(r"OutOfMemoryError"), "raise spark.driver.memory and the gateway's memory"),
    (re.compile(r"gateway ran out of memory"), "give the gateway more memory"),
    (
        re.compile(r"Python worker exited unexpectedly"),
        "often for want of memory: raise spark.executor.memoryOverhead",
    ),
    (
        re.compile(r"subprocess failed with code 137"),
        "often for want of memory: raise mapreduce.map.memory.mb or mapreduce.reduce.memory.mb",
    ),
    (
        re.compile(r"running .*beyond the '?PHYSICAL|running beyond physical"),
        "raise the memory of that container",
    ),
)


def _exception(match: re.Match[str]) -> str:
    """Its class without the package, and its words."""
    name = match[1].rpartition(".")[2]
    return f"{name}: {match[2]}" if match[2] else name


def _without_package(text: str) -> str:
    return re.sub(r"^(?:\w+\.)+(\w+)", r"\1", text)


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(reversed(tuple(pattern.finditer(text))), None)


def _last_line(evidence: Evidence) -> str:
    lines = [line.strip() for line in evidence.stderr.splitlines() if line.strip() and not line.startswith("WARNING: ")]
    return lines[-1] if lines else ""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
