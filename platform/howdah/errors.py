"""What can go wrong, as one tree. The class decides the exit code; the message says what, where and the fix.

A message is one sentence for a person: the thing, the value, the limit. The fix is what to do about it.
"""


class HowdahError(Exception):
    """Anything howdah reports to a person without a traceback."""

    exit_code = 1

    def __init__(self, what: str, *, fix: str = "", place: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix
        self.place = place

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        fix = f"\n  fix: {self.fix}" if self.fix else ""
        return f"{place}{self.what}{fix}"


class UserError(HowdahError):
    """The request cannot be met as it stands; nothing was touched."""

    exit_code = 2


class Problems(UserError):
    """Several user errors of one text, all of them listed."""

    def __init__(self, problems: "tuple[UserError, ...]") -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class NotFound(UserError):
    """A name that is not there; the nearest one that is, is part of the fix."""


class Refused(HowdahError):
    """Going on could lose data that nobody named."""

    exit_code = 3


class Transient(HowdahError):
    """Something did not answer or died; the same command can go on."""


class Conflict(HowdahError):
    """Somebody else changed or holds it; says who."""


class Fenced(HowdahError):
    """The lock under which this process acted is not held any more, so it must not act."""


class Failed(HowdahError):
    """A step ran and did not succeed; the cause is in the message."""


class Bug(HowdahError):
    """A state that the program believes impossible."""
