"""The nearest of some words, for "did you mean"."""

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(word: str, among: Iterable[str]) -> str:
    """``did you mean X?``, or what there is."""
    words = sorted(among)
    close = get_close_matches(word[:100], words, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"there is {', '.join(words)}" if words else "there are none"
