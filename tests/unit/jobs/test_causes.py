"""The excerpts in ``logs`` are what real clusters wrote; frames of stack traces beyond the third were left out."""

from pathlib import Path

import pytest

from howdah.jobs.causes import LONGEST, Evidence, cause

LOGS = Path(__file__).parent / "logs"
MAPS_FAILED = "Task failed task_1795503882961_0012_m_000000\nJob failed as tasks failed. failedMaps:1 failedReduces:0"

CASES = {
    "driver-exception": "ZeroDivisionError: division by zero",
    "driver-in-cluster": "ZeroDivisionError: division by zero",
    "driver-heap": "OutOfMemoryError: Java heap space (raise spark.driver.memory and the gateway's memory)",
    "executor-too-big": "IllegalArgumentException: Required executor memory (8192 MB), offHeap memory (0) MB, overhead "
    "(384 MB), and PySpark memory (0 MB) is above the max threshold (1536 MB) of this cluster! Please check the values "
    "of 'yarn.scheduler.maximum-allocation-mb' and/or 'yarn.nodemanager.resource.memory-mb'. "
    "(ask for less, or launch with more worker memory)",
    "input-missing": "InvalidInputException: Input path does not exist: hdfs://nn1.jobs.howdah:8020/nope",
    "map-too-big": "The required MAP capability is more than the supported max container capability in the cluster. "
    "Killing the Job. mapResourceRequest: <memory:9000, vCores:1> maxContainerCapability:<memory:1536, vCores:2> "
    "(ask for less, or launch with more worker memory)",
    "mapper-fails": "RuntimeException: PipeMapRed.waitOutputThreads(): subprocess failed with code 1",
    "mapper-killed": "RuntimeException: PipeMapRed.waitOutputThreads(): subprocess failed with code 137 "
    "(often for want of memory: raise mapreduce.map.memory.mb or mapreduce.reduce.memory.mb)",
    "no-class": "Error: Failed to load class no.such.Main.",
    "no-jar": "IOException: Error opening job jar: /etc/hadoop/core-site.xml: ZipException: zip END header not found",
    "no-program": "Unknown program 'nosuchprogram' chosen.",
    "output-exists": "FileAlreadyExistsException: Output directory hdfs://nn1.jobs.howdah:8020/out already exists",
    "path-missing": "AnalysisException: [PATH_NOT_FOUND] Path does not exist: hdfs://nn1.jobs.howdah:8020/not/there. "
    "SQLSTATE: 42K03",
    "plain-exit": "",
    "streaming-output-exists": "Error Launching job : Output directory hdfs://nn1.jobs.howdah:8020/out4 already exists",
    "syntax-error": "SyntaxError: '(' was never closed",
    "worker-exception": "ValueError: invalid literal for int() with base 10: 'x'",
}

DIAGNOSTICS = {
    "driver-in-cluster": ("User application exited with status 1",),
    "mapper-fails": (MAPS_FAILED,),
    "mapper-killed": (MAPS_FAILED,),
}


def _evidence(name: str) -> Evidence:
    def text(ending: str) -> str:
        path = LOGS / f"{name}.{ending}"
        return path.read_text() if path.exists() else ""

    return Evidence(1, text("stdout"), text("stderr"), DIAGNOSTICS.get(name, ()), text("containers"))


@pytest.mark.parametrize("name", CASES)
def test_the_cause_of_a_real_failure(name: str) -> None:
    assert cause(_evidence(name)) == CASES[name]


def test_every_excerpt_is_used() -> None:
    assert {path.stem for path in LOGS.iterdir()} - {"worker-killed"} <= CASES.keys()


def test_a_long_cause_is_cut_and_its_advice_is_not() -> None:
    said = cause(_evidence("worker-killed"))
    assert said.startswith("SparkException: Job aborted due to stage failure: Task 1 in stage 0.0 failed 4 times")
    assert said.endswith("… (often for want of memory: raise spark.executor.memoryOverhead)")
    assert said.index("…") == LONGEST - 1


def test_memory_and_a_kill_go_before_what_the_client_said() -> None:
    assert cause(Evidence(137, stderr="KeyError: 1\n", was_out_of_memory=True)).startswith(
        "the gateway ran out of memory"
    )
    assert cause(Evidence(143, stderr="KeyError: 1\n", was_killed=True)) == "killed on request"


def test_a_client_that_only_says_that_it_failed_leaves_the_word_to_the_containers() -> None:
    stderr = (
        'Exception in thread "main" org.apache.spark.SparkException: Exception thrown in awaitResult: \n'
        "\tat org.apache.spark.util.SparkThreadUtils$.awaitResult(SparkThreadUtils.scala:70)\n"
        "Caused by: org.apache.spark.SparkUserAppException: User application exited with 1\n"
    )
    containers = "LogType:stdout\nTraceback (most recent call last):\nValueError: from far away\n"
    assert cause(Evidence(1, stderr=stderr, containers=containers)) == "ValueError: from far away"


def test_the_last_line_is_better_than_nothing() -> None:
    assert cause(Evidence(1, stderr="something\nwent wrong\nWARNING: an old method\n\n")) == "went wrong"


def test_a_container_over_its_limit_is_told_with_the_limit() -> None:
    diagnostics = (
        "Application application_1_0001 failed 1 times due to AM Container for appattempt_1_0001_000001 exited with "
        "exitCode: -104\nDiagnostics: [2026-11-24 07:00:00.000]Container [pid=7,containerID=container_1] is running "
        "52428800B beyond the 'PHYSICAL' memory limit. Current usage: 434.1 MB of 384 MB physical memory used; "
        "2.1 GB of 806.4 MB virtual memory used. Killing container."
    )
    said = cause(Evidence(1, stderr="Streaming Command Failed!\n", diagnostics=(diagnostics,)))
    assert "beyond the 'PHYSICAL' memory limit" in said
    assert said.endswith("(raise the memory of that container)")
