import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from howdah.imaging.workspace import workspace


def test_a_folder_lasts_as_long_as_the_work(tmp_path: Path) -> None:
    def work() -> None:
        with workspace(tmp_path) as folder:
            (folder / "base.tar").write_text("x")
            assert folder.stat().st_mode & 0o777 == 0o755
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_build_left_goes_with_the_next_and_a_running_one_stays(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from howdah.imaging.workspace import workspace\n"
        "with workspace(Path(sys.argv[1])) as folder: print(folder, flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    running, killed = (
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(2)
    )
    folders = []
    for process in (running, killed):
        assert process.stdout is not None
        folders.append(Path(process.stdout.readline().strip()))
    killed.kill()
    killed.communicate()
    for folder in folders:
        os.utime(folder, (time.time() - 3600,) * 2)
    with workspace(tmp_path) as mine:
        assert set(tmp_path.iterdir()) == {folders[0], mine}
    running.communicate("")
    assert not list(tmp_path.iterdir())
