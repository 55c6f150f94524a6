"""From what was asked for to the client's command line, its environment and its own properties. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from howdah.errors import UserError
from howdah.hadoop import layout
from howdah.model.job import DeployMode, JobKind, JobSpec

JOBS_FOLDER = f"{layout.SCRATCH}/jobs"
LOCAL = "local:"
"""Spark's own word for a file that is on every node already."""
SHARED_FOLDER = f"{layout.HADOOP_HOME}/share"
"""Jars that come with the image and are on no class path: the examples, streaming."""
CLIENT_LOG = "client-log4j2.properties"

_JVM_LOG = "-Xlog:disable -Xlog:all=warning:stderr"
"""By itself the JVM logs to standard output, which is for the job's results."""
_QUIET_LOG = """\
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex
logger.native.name = org.apache.hadoop.util.NativeCodeLoader
logger.native.level = error
"""
"""Warnings alone, as in Spark's shells: at INFO a job of a second writes 150 lines."""


@dataclass(frozen=True, slots=True)
class Command:
    """What the gateway runs (runner_program.py). ``appended`` goes behind what the gateway's environment has.

    ``properties`` are added to the job's copy of a configuration file, ``texts`` are files added beside them.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    appended: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def folder(job_id: str) -> str:
    """The job's folder in the gateway."""
    return f"{JOBS_FOLDER}/{job_id}"


def staged(path: str) -> str:
    """The name under which a file of the user's is in the client's working directory."""
    return PurePosixPath(path).name


def command(spec: JobSpec, job_id: str, program: str) -> Command:
    """The client of a job. ``program`` is its path in the gateway."""
    own = folder(job_id)
    configuration = f"{own}/conf"
    environment = {
        "HADOOP_CONF_DIR": configuration,
        "YARN_CONF_DIR": configuration,
        "SPARK_CONF_DIR": configuration,
        "SPARK_LOCAL_DIRS": f"{own}/tmp",
        "TMPDIR": f"{own}/tmp",
        "PYTHONUNBUFFERED": "1",
        "HOWDAH_JOB": job_id,
    }
    # The container's /tmp is small and in memory.
    temporary = f"-Djava.io.tmpdir={own}/tmp"
    log = f"-Dlog4j2.configurationFile=file:{configuration}/{CLIENT_LOG}"
    return Command(
        argv=_argv(spec, job_id, program),
        environment=environment,
        appended={
            "HADOOP_OPTS": f"{temporary} {_JVM_LOG}",
            "SPARK_SUBMIT_OPTS": f"{temporary} {_JVM_LOG} {log}",
            "SPARK_LAUNCHER_OPTS": _JVM_LOG,
        },
        properties=_properties(spec, job_id),
        texts={CLIENT_LOG: _QUIET_LOG},
    )


def _argv(spec: JobSpec, job_id: str, program: str) -> tuple[str, ...]:
    match spec.kind:
        case JobKind.SPARK:
            return _spark(spec, job_id, program)
        case JobKind.MAPREDUCE:
            return ("hadoop", "jar", program, *spec.arguments)
        case JobKind.STREAMING:
            # Generic options come first, and of two -files Hadoop takes one.
            files = ",".join(staged(path) for path in spec.files)
            own = ("-files", files) if files and "-files" not in spec.arguments else ()
            return ("mapred", "streaming", *own, *spec.arguments)


_LISTS: Mapping[str, tuple[str, ...]] = {"--py-files": (".py", ".zip", ".egg"), "--jars": (".jar",)}


def _spark(spec: JobSpec, job_id: str, program: str) -> tuple[str, ...]:
    options = ["--master", "yarn", "--deploy-mode", spec.deploy_mode.value]
    settings = {key: value for key, value in spec.settings.items() if key.startswith("spark.")}
    settings["spark.yarn.tags"] = _tags(job_id, settings.get("spark.yarn.tags", ""))
    if spec.deploy_mode is DeployMode.CLUSTER:
        # YARN would run the driver a second time by itself; whoever wants that says so.
        settings.setdefault("spark.yarn.maxAppAttempts", "1")
    for key, value in sorted(settings.items()):
        options += ["--conf", f"{key}={value}"]
    if spec.main_class:
        options += ["--class", spec.main_class]
    listed: dict[str, list[str]] = {}
    for path in spec.files:
        option = next((name for name, endings in _LISTS.items() if path.endswith(endings)), "--files")
        listed.setdefault(option, []).append(staged(path))
    for option, names in listed.items():
        options += [option, ",".join(names)]
    return ("spark-submit", *options, program, *spec.arguments)


def _properties(spec: JobSpec, job_id: str) -> Mapping[str, Mapping[str, str]]:
    """In files, because ``-D`` is heard by programs alone that are written to hear it (Tool)."""
    files: dict[str, dict[str, str]] = {"mapred-site.xml": {}}
    for key, value in sorted(spec.settings.items()):
        if not key.startswith("spark."):
            files.setdefault(_file_of(key), {})[key] = value
    own = files["mapred-site.xml"]
    own["mapreduce.job.tags"] = _tags(job_id, own.get("mapreduce.job.tags", ""))
    return files


def _file_of(key: str) -> str:
    """Where a property must stand to be the last word on it."""
    if key.startswith(("mapreduce.", "mapred.", "yarn.app.mapreduce.")):
        return "mapred-site.xml"
    prefix, _, _ = key.partition(".")
    return {"dfs": "hdfs-site.xml", "yarn": "yarn-site.xml"}.get(prefix, "core-site.xml")


def _tags(job_id: str, more: str) -> str:
    return f"{job_id},{more}" if more else job_id


def shared_jar(name: str, there: tuple[str, ...]) -> str:
    """The path of a ``local:`` program: a path of the image, or a jar that comes with Hadoop, by name, version or not.

    ``there`` are the paths of those jars. Raises UserError where none has that name.
    """
    wanted = name.removeprefix(LOCAL)
    if wanted.startswith("/"):
        return wanted
    for path in there:
        stem = PurePosixPath(path).name.removesuffix(".jar")
        if wanted.removesuffix(".jar") in (stem, stem.rpartition("-")[0]):
            return path
    names = ", ".join(f"{LOCAL}{PurePosixPath(path).name}" for path in sorted(there))
    raise UserError(f"the image has no jar {wanted}", fix=f"there are: {names}; or give a path of the image: {LOCAL}/…")
