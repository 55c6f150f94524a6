"""HDFS from the host, against a real one and beside Hadoop's own client."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from howdah.engines.docker import DockerEngine
from howdah.errors import UserError
from howdah.filesystem.files import HdfsFiles, open_files
from tests.integration.conftest import RunningCluster

pytestmark = pytest.mark.engine

FOLDER = "/test-filesystem"
MIB = 2**20
PAIRS = 3
CONTENT = os.urandom(3 * MIB + 77)


@pytest.fixture(params=["straight", "relayed"])
def files(cluster: RunningCluster, request: pytest.FixtureRequest) -> Iterator[HdfsFiles]:
    """Over addresses, and through exec as where this machine cannot reach them."""
    if request.param == "straight":
        opened = cluster.client.files(cluster.name)
    else:
        engine = DockerEngine(cluster.place.engine, route="relay")
        opened = open_files(engine, cluster.name, cluster.client.endpoints(cluster.name), "hadoop")
    with opened as made:
        made.mkdir(FOLDER)
        try:
            yield made
        finally:
            made.rm(FOLDER, recursive=True, skip_trash=True)


def hdfs(cluster: RunningCluster, *argv: str) -> str:
    """Hadoop's own client, in the gateway."""
    return cluster.place.docker("exec", f"{cluster.name}-gw1", "hdfs", "dfs", *argv)


def test_a_folder_goes_there_and_back(files: HdfsFiles, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "sub" / "empty").mkdir(parents=True)
    contents = {"zero": b"", "a b%25+c#LATEST?e;f&g=é[1]": b"odd", "sub/x": CONTENT, "511": CONTENT[:511]}
    for name, content in contents.items():
        (tree / name).write_bytes(content)
    put = files.put(tree, FOLDER)
    assert (put.files, put.verified) == (4, 4)
    assert [entry.name for entry in files.ls(f"{FOLDER}/*", recursive=True) if entry.is_folder] == ["sub", "empty"]
    (got,) = files.get(f"{FOLDER}/tree", tmp_path / "back")
    assert (got.files, got.verified) == (4, 4)
    for name, content in contents.items():
        assert (tmp_path / "back" / name).read_bytes() == content
    assert (tmp_path / "back" / "sub" / "empty").is_dir()


def test_hadoops_own_client_sees_the_same(cluster: RunningCluster, files: HdfsFiles, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(CONTENT)
    files.put(tmp_path / "x", f"{FOLDER}/ours")
    hdfs(cluster, "-cp", f"{FOLDER}/ours", f"{FOLDER}/theirs")
    assert b"".join(files.cat(f"{FOLDER}/theirs")) == CONTENT
    assert files.checksum(f"{FOLDER}/ours") == files.checksum(f"{FOLDER}/theirs")
    sums = {line.split()[-1] for line in hdfs(cluster, "-checksum", f"{FOLDER}/*").splitlines()}
    assert len(sums) == 1


def test_what_is_thrown_away_lies_where_hadoop_puts_it(
    cluster: RunningCluster, files: HdfsFiles, tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes(b"x")
    files.put(tmp_path / "x", f"{FOLDER}/x")
    hdfs(cluster, "-rm", f"{FOLDER}/x")
    files.put(tmp_path / "x", f"{FOLDER}/x")
    (removed,) = files.rm(f"{FOLDER}/x")
    try:
        assert files.trash_minutes == 1440
        there = f"/user/hadoop/.Trash/Current{FOLDER}/x"
        assert removed.trash.startswith(there)
        assert removed.trash != there
        files.mv(removed.trash, f"{FOLDER}/x")
        assert b"".join(files.cat(f"{FOLDER}/x")) == b"x"
    finally:
        files.rm(f"/user/hadoop/.Trash/Current{FOLDER}", recursive=True, skip_trash=True)


def test_another_user_is_refused_in_words(cluster: RunningCluster, files: HdfsFiles, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    endpoints = cluster.client.endpoints(cluster.name)
    engine = DockerEngine(cluster.place.engine)
    with open_files(engine, cluster.name, endpoints, "joe") as joe, pytest.raises(UserError) as refused:
        joe.put(tmp_path / "x", FOLDER)
    assert refused.value.what.startswith(f"user joe may not write and enter {FOLDER} in HDFS: it is hadoop's")


@pytest.mark.slow
def test_a_gigabyte_takes_at_most_twice_what_it_takes_in_the_gateway(cluster: RunningCluster, tmp_path: Path) -> None:
    """Pairs, one right after the other, and the best of them: what else the machine does is in all of them."""
    gateway = f"{cluster.name}-gw1"
    source, target, inside = tmp_path / "g", tmp_path / "back", "/scratch/test-filesystem"
    with source.open("wb") as file:
        for _ in range(1024):
            file.write(os.urandom(MIB))
    ratios: dict[str, list[float]] = {"put": [], "get": []}
    with cluster.client.files(cluster.name) as files:
        files.mkdir(FOLDER)
        try:
            for _ in range(PAIRS):
                ours = _seconds(lambda: files.put(source, f"{FOLDER}/ours", force=True))
                hdfs(cluster, "-get", "-f", f"{FOLDER}/ours", inside)
                theirs = _seconds(lambda: hdfs(cluster, "-put", "-f", inside, f"{FOLDER}/theirs"))
                ratios["put"].append(ours / theirs)
                ours = _seconds(lambda: files.get(f"{FOLDER}/theirs", target, force=True))
                theirs = _seconds(lambda: hdfs(cluster, "-get", "-f", f"{FOLDER}/theirs", inside))
                ratios["get"].append(ours / theirs)
        finally:
            cluster.place.docker("exec", gateway, "rm", "-f", inside)
            files.rm(FOLDER, recursive=True, skip_trash=True)
    assert min(ratios["put"]) <= 2, ratios
    assert min(ratios["get"]) <= 2, ratios


def _seconds(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began
