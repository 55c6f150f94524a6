from benchmarks.processes import anonymous, own_address
from howdah.model.cluster import Assignment, Instance
from howdah.model.definition import Group
from howdah.model.roles import Role
from howdah.units import Bytes

SITE = "<configuration><property><name>x</name><value>0.0.0.0:9866</value></property></configuration>"
ROLLUP = """\
55d1c0000000-7ffd3c1f2000 ---p 00000000 00:00 0                          [rollup]
Rss:              201236 kB
Pss_Anon:         101000 kB
Anonymous:        102400 kB
LazyFree:              0 kB
AnonHugePages:      4096 kB
"""


def instance(role: Role) -> Instance:
    place = Assignment("x2", role, "default", "local", "10.1.0.12", 1)
    return Instance(place, Group(count=1, memory=Bytes(2**30)), "u1", "bench")


def test_processes_that_share_a_network_listen_on_their_own_address() -> None:
    assert own_address(SITE, instance(Role.DATANODE), 1) == SITE.replace("0.0.0.0", "10.1.0.12")


def test_nodemanagers_that_share_a_network_shuffle_on_ports_of_their_own() -> None:
    written = own_address(SITE, instance(Role.NODEMANAGER), 13564)
    assert "<name>mapreduce.shuffle.port</name><value>13564</value>" in written
    assert written.endswith("</configuration>")


def test_memory_that_no_file_backs_is_counted() -> None:
    assert anonymous(ROLLUP) == 100 * 2**20
    assert anonymous("") == 0
