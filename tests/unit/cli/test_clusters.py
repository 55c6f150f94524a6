import json

import pytest

from howdah.cli.clusters import WATCH_SECONDS
from howdah.testing.rig import FakeClock, World
from tests.unit.cli.conftest import Howdah


def keys(value: object) -> object:
    """The shape of a JSON value: the keys of its objects, and of the first of each list."""
    match value:
        case dict():
            return {key: keys(item) for key, item in value.items()}
        case [first, *_]:
            return [keys(first)]
        case _:
            return None


def test_a_launch_says_what_it_did_on_standard_output_alone(howdah: Howdah) -> None:
    result = howdah("launch", "small", "--name", "demo", "-p", "workers=3")
    assert result.exit_code == 0
    assert result.stdout.startswith("demo is ready in ")
    assert "steps)" in result.stdout
    assert result.stdout.splitlines()[1].startswith("pages: http://nn1-9870.demo.localhost:")
    assert "start nn1" in result.stderr


def test_the_same_launch_again_does_nothing(howdah: Howdah) -> None:
    howdah.well("launch", "small", "--name", "demo")
    assert howdah.well("launch", "small", "--name", "demo") == "demo is ready already: nothing to do\n"


def test_a_launch_needs_something_to_launch(howdah: Howdah) -> None:
    result = howdah("launch")
    assert result.exit_code == 2
    assert "--from-data" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-p", "workers"), "KEY=VALUE"),
        (("-p", "=3"), "KEY=VALUE"),
        (("-p", "workers=2", "-p", "workers=3"), "given twice"),
        (("-p", "worker=3"), "worker"),
        (("-p", "workers=0"), "from 1"),
    ],
)
def test_a_bad_parameter_is_refused_with_what_is_allowed(howdah: Howdah, words: tuple[str, ...], said: str) -> None:
    result = howdah("launch", "small", "--name", "demo", *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_list_without_clusters_says_how_to_get_one(howdah: Howdah) -> None:
    assert "howdah launch" in howdah.well("list")
    assert json.loads(howdah.well("list", "--json")) == {"clusters": [], "data_sets": []}


def test_a_list_shows_clusters_and_the_data_of_those_that_are_gone(howdah: Howdah) -> None:
    howdah.well("launch", "small", "--name", "demo")
    howdah.well("launch", "single", "--name", "other")
    howdah.well("delete", "other")
    shown = howdah.well("list")
    assert "demo" in shown
    assert "ready" in shown
    assert "--from-data" in shown
    found = json.loads(howdah.well("list", "--json"))
    assert [cluster["name"] for cluster in found["clusters"]] == ["demo"]
    assert {each["name"]: each["is_in_use"] for each in found["data_sets"]} == {"demo": True, "other": False}
    assert keys(found) == {
        "clusters": [
            dict.fromkeys(("name", "uuid", "phase", "generation", "data_set", "created_at", "expires_at")),
        ],
        "data_sets": [
            {
                **dict.fromkeys(("name", "uuid", "state", "is_in_use", "last_cluster", "hadoop")),
                "volumes": [dict.fromkeys(("instance", "volume", "host", "size"))],
            }
        ],
    }


def test_data_that_was_kept_comes_back(howdah: Howdah) -> None:
    howdah.well("launch", "single", "--name", "demo")
    assert "kept as data set demo" in howdah.well("delete", "demo")
    assert "demo is ready" in howdah.well("launch", "--from-data", "demo")


def test_a_status_begins_with_the_sentence(howdah: Howdah) -> None:
    howdah.well("launch", "small", "--name", "demo")
    shown = howdah.well("status", "demo").splitlines()
    assert shown[0] == "demo: ready"
    assert [line.split()[0] for line in shown if line.endswith("ready")][1:] == [
        *("nn1", "snn1", "dn1", "dn2", "rm1", "nm1", "nm2", "gw1")
    ]
    text = "\n".join(shown)
    assert "2 of 2 DataNodes live" in text
    assert "2 of 2 NodeManagers active" in text
    assert "2 replicas, 1 machine" in text


def test_a_status_has_keys_that_stay(howdah: Howdah) -> None:
    howdah.well("launch", "small", "--name", "demo")
    found = json.loads(howdah.well("status", "demo", "--json"))
    assert found["is_healthy"] is True
    assert keys(found) == {
        **dict.fromkeys(("name", "phase", "is_healthy", "sentence", "data_set", "created_at", "expires_at")),
        "instances": [dict.fromkeys(("instance", "role", "host", "address", "memory", "state", "detail", "page"))],
        "hdfs": dict.fromkeys(
            (
                *("live_datanodes", "datanodes", "capacity", "used", "files", "missing_blocks"),
                *("under_replicated_blocks", "safe_mode", "replication", "machines", "checkpoint_age"),
            )
        ),
        "yarn": dict.fromkeys(("active_nodemanagers", "nodemanagers", "applications")),
    }


def test_a_status_says_what_is_wrong_first(howdah: Howdah, world: World) -> None:
    howdah.well("launch", "small", "--name", "demo")
    world.engine.crash("demo-dn2", out_of_memory=True)
    shown = howdah.well("status", "demo").splitlines()
    assert "dn2 exited (out of memory)" in shown[0]
    assert "howdah start" in shown[0]
    assert "demo is ready" in howdah.well("start", "demo")


def test_stop_and_start_say_what_they_came_to(howdah: Howdah) -> None:
    howdah.well("launch", "single", "--name", "demo")
    assert howdah.well("stop", "demo").startswith("demo is stopped in ")
    assert howdah.well("stop", "demo") == "demo is stopped already: nothing to do\n"
    assert howdah.well("status", "demo").startswith("demo: stopped\n")
    assert howdah.well("start", "demo").startswith("demo is ready in ")


def test_watching_looks_again_until_it_is_interrupted(howdah: Howdah) -> None:
    class Watcher(FakeClock):
        """Somebody who has seen enough after four seconds."""

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            if self.seconds > 4 and seconds == WATCH_SECONDS:
                raise KeyboardInterrupt

    howdah.well("launch", "single", "--name", "demo")
    howdah.clock = Watcher()
    result = howdah("status", "demo", "--watch", "--json")
    assert result.exit_code == 130
    assert "interrupted" not in result.stderr
    assert result.stdout.count('"is_healthy": true') == 2


class TestDestroyingData:
    """FAULTS.md B, row 35."""

    @pytest.fixture(autouse=True)
    def _launched(self, howdah: Howdah) -> None:
        howdah.well("launch", "single", "--name", "demo")

    def is_kept(self, world: World) -> bool:
        return len(world.volumes.live) == 2

    @pytest.mark.parametrize(
        ("words", "answer"),
        [
            ((), None),
            (("--yes",), None),
            (("--yes",), "demo\n"),
            (("--yes", "--confirm", "dem"), None),
            (("--confirm", "other"), "demo\n"),
            ((), "\n"),
            ((), ""),
            ((), "y\n"),
        ],
    )
    def test_is_refused_unless_the_name_is_given(
        self, howdah: Howdah, world: World, words: tuple[str, ...], answer: str | None
    ) -> None:
        result = howdah("delete", "demo", "--data", "destroy", *words, answer=answer)
        assert result.exit_code == 3
        assert "--confirm demo" in result.stderr
        assert self.is_kept(world)
        assert howdah.well("status", "demo").startswith("demo: ready\n")

    @pytest.mark.parametrize(
        ("words", "answer"),
        [((), "demo\n"), (("--yes", "--confirm", "demo"), None), (("--confirm", "demo"), None)],
    )
    def test_is_done_when_it_is(self, howdah: Howdah, world: World, words: tuple[str, ...], answer: str | None) -> None:
        result = howdah("delete", "demo", "--data", "destroy", *words, answer=answer)
        assert result.exit_code == 0
        assert "nothing of it is left" in result.stdout
        assert not world.volumes.live
        assert not world.volumes.tombstones

    def test_lists_the_volumes_with_their_bytes_and_the_engine(self, howdah: Howdah, world: World) -> None:
        for volume in world.volumes.live.values():
            volume.used = type(volume.used)(3 * 2**20)
        shown = howdah("delete", "demo", "--data", "destroy").stderr
        assert "memory:" in shown
        for uuid in world.volumes.live:
            assert uuid in shown
        assert "nn1" in shown
        assert "3 MiB" in shown
        assert "6 MiB in 2 volumes" in shown

    def test_works_where_a_volume_is_missing(self, howdah: Howdah, world: World) -> None:
        world.volumes.lose(next(iter(world.volumes.live)))
        result = howdah("delete", "demo", "--data", "destroy", "--confirm", "demo")
        assert "missing" in result.stderr
        assert result.exit_code == 0, result.output
        assert not world.volumes.live

    def test_again_says_that_it_was_done(self, howdah: Howdah) -> None:
        howdah.well("delete", "demo", "--data", "destroy", "--confirm", "demo")
        assert "was deleted" in howdah.well("delete", "demo", "--data", "destroy", "--confirm", "demo")

    def test_a_delete_without_a_word_of_data_keeps_it(self, howdah: Howdah, world: World) -> None:
        howdah.well("delete", "demo")
        assert self.is_kept(world)
