"""A second howdah that knows nothing but where the registry is, and its credentials."""

from pathlib import Path

import pytest

from howdah.planning.registry import CREDENTIALS, PORT, REGISTRY
from tests.integration.place import Place, refused

pytestmark = pytest.mark.engine


def test_a_second_howdah_with_nothing_but_the_registry_can_do_everything(place: Place, tmp_path: Path) -> None:
    place.done("launch", "single", "--name", "known", "-p", "worker_memory=1280 MiB")
    with place.client() as client:
        if not client.installation.engine.has_route(REGISTRY):
            pytest.fail("the registry's address cannot be reached from here")
    (found,) = place.inspect(REGISTRY)
    address = found["NetworkSettings"]["Networks"][REGISTRY]["IPAddress"]
    credentials = tmp_path / "credentials"
    credentials.write_text(place.docker("exec", "--user", "0:0", REGISTRY, "cat", f"/volume/identity/{CREDENTIALS}"))
    (tmp_path / "empty").mkdir()
    given = {"HOWDAH_ZOOKEEPER": f"{address}:{PORT}", "HOWDAH_ZOOKEEPER_CREDENTIALS": str(credentials)}
    second = Place(place.engine, place.root, tmp_path / "empty", extra=given)

    status = second.json("status", "known")
    assert status["is_healthy"], status["sentence"]
    (tmp_path / "file").write_text("through the registry\n")
    second.done("hdfs", "known", "put", str(tmp_path / "file"), "/file")
    assert second.done("hdfs", "known", "cat", "/file") == "through the registry\n"

    credentials.write_text("howdah:wrong\n")
    ended = second.howdah("status", "known")
    assert ended.returncode != 0
    assert "wrong" not in ended.stderr
    credentials.unlink()
    refused(second.howdah("list"), 2, str(credentials), "cannot be read")

    credentials.write_text(place.docker("exec", "--user", "0:0", REGISTRY, "cat", f"/volume/identity/{CREDENTIALS}"))
    second.done("delete", "known", "--data", "destroy", "--yes", "--confirm", "known")
    assert "known" not in place.done("list")
    assert place.orphans() == []
