from benchmarks.processes import anonymous

ROLLUP = """\
55d1c0000000-7ffd3c1f2000 ---p 00000000 00:00 0                          [rollup]
Rss:              201236 kB
Pss_Anon:         101000 kB
Anonymous:        102400 kB
LazyFree:              0 kB
AnonHugePages:      4096 kB
"""


def test_memory_that_no_file_backs_is_counted() -> None:
    assert anonymous(ROLLUP) == 100 * 2**20
    assert anonymous("") == 0
