from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from howdah.filesystem.files import HdfsFiles
from howdah.filesystem.transport import session
from howdah.filesystem.webhdfs import WebHdfs
from tests.unit.filesystem.fake_hdfs import ADDRESSES, NAMENODE, FakeHdfs


class FrozenClock:
    def now(self) -> datetime:
        return datetime(2026, 1, 2, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError


NOW = int(FrozenClock().now().timestamp() * 1000)


@pytest.fixture
def hdfs() -> FakeHdfs:
    return FakeHdfs()


@pytest.fixture
def files(hdfs: FakeHdfs) -> Iterator[HdfsFiles]:
    client = WebHdfs(f"http://{NAMENODE}:9870", "hadoop", session(hdfs.dial), ADDRESSES, pause=0)
    with HdfsFiles(client, FrozenClock()) as made:
        yield made
    for thread in hdfs.threads:
        thread.join(timeout=10)
        assert not thread.is_alive(), "a connection was left open"
