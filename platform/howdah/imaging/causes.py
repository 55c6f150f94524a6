"""Why a build failed, read from its output: what could not be reached, what is not as locked, what is full."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from howdah.errors import Failed, HowdahError, Transient


@dataclass(frozen=True, slots=True)
class Cause:
    """What was wrong and what to do. ``is_passing`` where the same command may go well later."""

    what: str
    fix: str
    is_passing: bool = False


_CERTIFICATE = "name the proxy's certificate (PEM) in HOWDAH_CA_CERTIFICATES, or add it to this host's certificates"
_NETWORK = "check this host's and its engine's network and proxy, then run the same command again"
_LOCKED = "run again; where it stays so, the source has changed its files: compare them before you trust them"

_PATTERNS: tuple[tuple[str, str, str, bool], ...] = (
    (r"^(?:changed|missing|unlisted): .+$", "", _LOCKED, False),
    (r"THESE PACKAGES DO NOT MATCH THE HASHES|Expected sha256 \w+", "a package is not as locked: ", _LOCKED, False),
    (
        r"No space left on device",
        "the engine's or the temporary folder's disk is full: ",
        "make room, for instance: howdah prune",
        True,
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|PKIX path building failed|certificate verif\w+ failed|SSL certificate problem",
        "the certificate of the other side is not trusted: ",
        _CERTIFICATE,
        False,
    ),
    (
        r"(?:GPG error|NO_PUBKEY|is not signed).*",
        "the packages are not signed by a known key: ",
        "install debian-archive-keyring",
        False,
    ),
    (
        r"Could not resolve '?(?:host:? ?)?([\w.-]+)|Temporary failure resolving '([\w.-]+)'",
        "could not reach ",
        _NETWORK,
        True,
    ),
    (
        r"UnknownHostException:? ([\w.-]+)|([\w.-]+): (?:Temporary failure in name res|Name or service not known)",
        "could not reach ",
        _NETWORK,
        True,
    ),
    (r"(?:HTTPS?ConnectionPool|HTTPS?Connection)\(host='([^']+)'", "could not reach ", _NETWORK, True),
    (r"Could not transfer (?:artifact|metadata) \S+ from/to \S+ \((\S+?)\)", "could not reach ", _NETWORK, True),
    (
        r"Could not connect to ([\w.-]+:\d+)|Cannot initiate the connection to ([\w.-]+:\d+)",
        "could not reach ",
        _NETWORK,
        True,
    ),
    (r"Failed to fetch (\S+)|Err:\d+ (\S+)", "could not fetch ", _NETWORK, True),
    (
        r"Could not find (?:artifact|a version that satisfies the requirement) (\S+)",
        "there is no ",
        "check the configured package source",
        False,
    ),
    (r"Network is unreachable|Connection (?:refused|timed out|reset)", "no network: ", _NETWORK, True),
    (r"No plugin found for prefix", "Maven could not reach its repository, or did not trust it: ", _CERTIFICATE, True),
)
_SHOWN = 5


def cause(lines: Iterable[str]) -> Cause | None:
    """The first pattern that is found in the lines, with what it names; None where nothing is recognised."""
    kept = list(lines)
    for pattern, what, fix, is_passing in _PATTERNS:
        found = [match for line in kept if (match := re.search(pattern, line))]
        if found:
            named = list(dict.fromkeys(next(filter(None, match.groups()), match[0]) for match in found))
            more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
            return Cause(what + "; ".join(named[:_SHOWN]) + more, fix, is_passing)
    return None


def explained(kind: str, phase: str, lines: Iterable[str], otherwise: str) -> HowdahError:
    """The error for a build that failed in a phase; ``otherwise`` is said where the cause is not recognised."""
    known = cause(lines)
    step = re.sub(r" \(step .*", "", phase)
    step = f"finish {step}" if step.split(" ")[0].rstrip(":").endswith("ing") else step
    if known is None:
        return Failed(f"image {kind}: could not {step}: {otherwise}")
    error = Transient if known.is_passing else Failed
    return error(f"image {kind}: could not {step}: {known.what}", fix=known.fix)
