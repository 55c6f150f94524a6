"""Errors as a list of bearable length."""

from collections.abc import Sequence

from howdah.errors import Problems, UserError

LIST_LIMIT = 50


def listed(errors: Sequence[UserError]) -> Problems:
    """All of them, or the first fifty and how many more there are."""
    if len(errors) <= LIST_LIMIT:
        return Problems(tuple(errors))
    rest = UserError(f"and {len(errors) - LIST_LIMIT} more problems", fix="correct these first")
    return Problems((*errors[:LIST_LIMIT], rest))
