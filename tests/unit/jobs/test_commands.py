"""What the gateway is given to run."""

import pytest

from howdah.errors import UserError
from howdah.jobs.commands import command, shared_jar
from howdah.model.job import DeployMode, JobKind, JobSpec

JARS = ("/opt/hadoop/share/hadoop-mapreduce-examples-3.4.2.jar", "/opt/hadoop/share/hadoop-streaming-3.4.2.jar")


def test_spark_is_tagged_with_the_jobs_id() -> None:
    spec = JobSpec(JobKind.SPARK, "/home/me/app.py", ("--x", "y z"), settings={"spark.executor.memory": "1g"})
    assert command(spec, "job-1", "app.py").argv == (
        "spark-submit", "--master", "yarn", "--deploy-mode", "client", "--conf", "spark.executor.memory=1g",
        "--conf", "spark.yarn.tags=job-1", "app.py", "--x", "y z",
    )  # fmt: skip


def test_a_users_own_tags_stay() -> None:
    spec = JobSpec(JobKind.SPARK, "app.py", settings={"spark.yarn.tags": "mine"})
    assert "spark.yarn.tags=job-1,mine" in command(spec, "job-1", "app.py").argv
    mapreduce = JobSpec(JobKind.MAPREDUCE, "x.jar", settings={"mapreduce.job.tags": "mine"})
    assert command(mapreduce, "job-1", "x.jar").properties["mapred-site.xml"]["mapreduce.job.tags"] == "job-1,mine"


def test_a_driver_in_the_cluster_is_not_run_twice_by_yarn_unless_asked() -> None:
    spec = JobSpec(JobKind.SPARK, "app.py", deploy_mode=DeployMode.CLUSTER)
    assert "spark.yarn.maxAppAttempts=1" in command(spec, "job-1", "app.py").argv
    twice = JobSpec(
        JobKind.SPARK, "app.py", deploy_mode=DeployMode.CLUSTER, settings={"spark.yarn.maxAppAttempts": "2"}
    )
    assert "spark.yarn.maxAppAttempts=2" in command(twice, "job-1", "app.py").argv


def test_files_of_a_spark_job_go_where_their_kind_belongs() -> None:
    spec = JobSpec(JobKind.SPARK, "app.jar", main_class="Main", files=("a/x.py", "b/y.jar", "c/z.csv", "d/w.zip"))
    argv = command(spec, "job-1", "app.jar").argv
    assert argv[-9:] == (
        "--class", "Main", "--py-files", "x.py,w.zip", "--jars", "y.jar", "--files", "z.csv", "app.jar",
    )  # fmt: skip


def test_any_main_class_hears_the_settings() -> None:
    settings = {
        "mapreduce.map.memory.mb": "512",
        "yarn.app.mapreduce.am.resource.mb": "640",
        "dfs.replication": "1",
        "yarn.client.failover-proxy-provider": "x",
        "io.file.buffer.size": "4096",
    }
    made = command(JobSpec(JobKind.MAPREDUCE, "x.jar", ("Main", "/in"), settings=settings), "job-1", "x.jar")
    assert made.argv == ("hadoop", "jar", "x.jar", "Main", "/in")
    assert made.properties == {
        "mapred-site.xml": {
            "mapreduce.job.tags": "job-1",
            "mapreduce.map.memory.mb": "512",
            "yarn.app.mapreduce.am.resource.mb": "640",
        },
        "hdfs-site.xml": {"dfs.replication": "1"},
        "yarn-site.xml": {"yarn.client.failover-proxy-provider": "x"},
        "core-site.xml": {"io.file.buffer.size": "4096"},
    }
    assert made.environment["HADOOP_CONF_DIR"] == "/scratch/jobs/job-1/conf"


def test_streaming_ships_its_files_unless_the_user_does() -> None:
    spec = JobSpec(JobKind.STREAMING, arguments=("-mapper", "m.py"), files=("/home/me/m.py",))
    assert command(spec, "job-1", "").argv == ("mapred", "streaming", "-files", "m.py", "-mapper", "m.py")
    own = JobSpec(JobKind.STREAMING, arguments=("-files", "m.py#x", "-mapper", "x"), files=("/home/me/m.py",))
    assert command(own, "job-1", "").argv == ("mapred", "streaming", "-files", "m.py#x", "-mapper", "x")


@pytest.mark.parametrize(
    "name", ["hadoop-mapreduce-examples", "hadoop-mapreduce-examples.jar", "hadoop-mapreduce-examples-3.4.2.jar"]
)
def test_a_jar_of_the_image_is_found_by_name(name: str) -> None:
    assert shared_jar(f"local:{name}", JARS) == JARS[0]


def test_a_path_of_the_image_is_taken_as_it_is() -> None:
    assert shared_jar("local:/opt/spark/x.py", ()) == "/opt/spark/x.py"


def test_an_unknown_jar_of_the_image_lists_those_there_are() -> None:
    with pytest.raises(UserError) as caught:
        shared_jar("local:hadoop-mapreduce-examples-9", JARS)
    assert "local:hadoop-streaming-3.4.2.jar" in caught.value.fix
