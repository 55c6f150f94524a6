import pytest

from howdah.engines.memory import MemoryEngine
from howdah.errors import Transient
from howdah.model.storage import ScratchFolder
from howdah.ports.engine import Engine, NetworkSpec
from howdah.ports.volumes import Volumes
from howdah.testing.faults import EFFECTS, Faults, Killed, failing_after
from howdah.units import Bytes
from howdah.volumes.memory import MemoryVolumes

NETWORK = NetworkSpec("sales", "10.0.0.0/24", "10.0.0.1", "10.0.0.128/25", {})
SCRATCH = ScratchFolder("c1", "nm1", Bytes(1))


@pytest.mark.parametrize(("kind", "left"), [("before", 0), ("after", 1)])
def test_one_count_runs_over_all_ports_and_ends_them_all(kind: str, left: int) -> None:
    engine, volumes = MemoryEngine(), MemoryVolumes()
    faults = Faults(2, "after" if kind == "after" else "before")
    failing, failing_volumes = faults.wrap(engine), faults.wrap(volumes)
    failing.networks()
    failing.ensure_network(NETWORK)
    with pytest.raises(Killed):
        failing_volumes.create_scratch(SCRATCH)
    assert len(volumes.survey().scratch) == left
    with pytest.raises(Killed):
        failing.networks()
    assert len(engine.networks()) == 1
    assert [effect.split()[0] for effect in faults.effects] == ["ensure_network", "create_scratch"]


def test_another_exception_strikes_once() -> None:
    failing = failing_after(MemoryEngine(), 1, "after", lambda: Transient("no answer"))
    with pytest.raises(Transient):
        failing.ensure_network(NETWORK)
    assert not failing.ensure_network(NETWORK)


def test_every_effect_is_a_method_of_a_port() -> None:
    known = set(dir(Engine)) | set(dir(Volumes)) | {"commit", "delete_tree", "lock", "release"}
    assert known >= EFFECTS
