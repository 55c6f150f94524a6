"""The machine and its images, for people and for programs."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from howdah.cli.output import Json, columns
from howdah.doctor import Finding, Verdict
from howdah.imaging.listing import ListedImage
from howdah.units import Duration

_MARKS = {Verdict.GOOD: "ok", Verdict.NOTE: "note", Verdict.BAD: "FAILED", Verdict.UNKNOWN: "-"}


def findings(found: Iterable[Finding]) -> Iterator[str]:
    """A line a check, and a line with what to do."""
    for finding in found:
        yield f"{_MARKS[finding.verdict].ljust(6)}  {finding.check.ljust(8)}  {finding.text}"
        if finding.fix:
            yield f"{' ' * 18}fix: {finding.fix}"


def findings_json(found: Iterable[Finding]) -> Json:
    """The same for programs."""
    found = list(found)
    return {
        "is_all_right": not any(finding.verdict is Verdict.BAD for finding in found),
        "checks": [
            {
                "check": finding.check,
                "verdict": finding.verdict.value,
                "text": finding.text,
                "fix": finding.fix or None,
            }
            for finding in found
        ],
    }


def images(found: Iterable[ListedImage]) -> Iterator[str]:
    """A line an image."""
    rows = [
        (
            image.kind,
            image.reference,
            str(image.size),
            _age(image.age),
            "yes" if image.is_in_use else "no",
            image.standing.value,
        )
        for image in found
    ]
    if rows:
        yield from columns(("IMAGE", "REFERENCE", "SIZE", "BUILT", "IN USE", "STANDING"), rows)
    else:
        yield "no images yet: howdah image build makes them"


def images_json(found: Iterable[ListedImage]) -> Json:
    """The same for programs."""
    return [
        {
            "image": image.kind,
            "reference": image.reference,
            "size": int(image.size),
            "age": int(image.age.total_seconds()) if image.age is not None else None,
            "is_in_use": image.is_in_use,
            "standing": image.standing.value,
        }
        for image in found
    ]


def _age(age: timedelta | None) -> str:
    if age is None:
        return ""
    seconds = int(age.total_seconds())
    # The two largest units are enough.
    coarse = next((seconds // unit * unit for unit in (3600, 60) if seconds >= 24 * unit), seconds)
    return f"{Duration(coarse)} ago"
