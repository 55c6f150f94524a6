import pytest

from howdah.errors import Failed, Transient
from howdah.imaging.causes import cause, explained
from howdah.imaging.progress import Phases, Reporter
from tests.unit.imaging.clocks import StepClock


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (
            "W: Failed to fetch http://deb.example/dists/x  Temporary failure resolving 'deb.example'",
            "deb.example",
        ),
        (
            "Could not transfer artifact x:y:pom:3 from/to central (https://maven.example/m): timed out",
            "https://maven.example/m",
        ),
        ("java.net.UnknownHostException: maven.example", "maven.example"),
        ("requests: HTTPSConnectionPool(host='pypi.example', port=443): Max retries exceeded", "pypi.example"),
        ("Could not connect to deb.example:80 (192.0.2.1), connection timed out", "deb.example:80"),
        ("curl: (6) Could not resolve host: jars.example", "jars.example"),
    ],
)
def test_what_could_not_be_reached_is_named(line: str, named: str) -> None:
    error = explained("hadoop", "fetch the packages (step 2 of 9)", ["Step 2/9", line, "exit 100"], "exit 100")
    assert isinstance(error, Transient)
    assert error.exit_code == 1
    assert error.what == f"image hadoop: could not fetch the packages: could not reach {named}"
    assert "network" in error.fix


def test_an_untrusted_certificate_is_answered_with_how_to_add_one() -> None:
    found = cause(["SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] ...'))"])
    assert found is not None
    assert "HOWDAH_CA_CERTIFICATES" in found.fix


def test_a_jar_that_is_not_as_locked_is_named_before_anything_else() -> None:
    lines = [
        "WARNING: Connection refused",
        "changed: lib/hadoop-common-3.5.0.jar is 12, expected 34",
        "unlisted: lib/evil.jar (56)",
        "2 of 190 files differ from /fetch/lock",
    ]
    error = explained("hadoop", "check the packages", lines, "exit 1")
    assert isinstance(error, Failed)
    assert "lib/hadoop-common-3.5.0.jar is 12, expected 34" in error.what
    assert "lib/evil.jar" in error.what


def test_what_is_not_recognised_is_said_as_it_came() -> None:
    error = explained("spark", "train", ["who knows"], "exit 7")
    assert isinstance(error, Failed)
    assert "exit 7" in error.what


def test_a_phase_is_said_once_when_it_begins_with_the_seconds_since_the_start() -> None:
    said: list[str] = []
    phases = Phases(Reporter(said.append, StepClock(step=5), 0), "hadoop")
    for line in (
        "Step 1/9 : ARG BASE",
        "Step 2/9 : FROM ${BASE} AS fetch",
        "\x1b[91mStep 9 is loud\x1b[0m",
        "Step 5/9 : FROM fetch as assemble",
        "Step 8/9 : FROM x AS somethingNew",
        "I: extracting archives...",
        "I: removing tempdir /tmp/x...",
        "ready: namenode",
    ):
        phases(line)
    assert said == [
        "[   5 s] hadoop: fetch the packages (step 2 of 9)",
        "[  10 s] hadoop: check the packages against the lock and lay out the image (step 5 of 9)",
        "[  15 s] hadoop: somethingNew (step 8 of 9)",
        "[  20 s] hadoop: extracting archives",
        "[  25 s] hadoop:   ready: namenode",
    ]
    assert "Step 9 is loud" in phases.last
