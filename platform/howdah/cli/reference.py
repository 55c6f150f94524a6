"""docs/reference/cli.md, made from the program itself: ``python -m howdah.cli.reference > docs/reference/cli.md``."""

from collections.abc import Iterator
from typing import Any

from howdah.cli import output

WIDTH = 100

HEAD = """\
# The command line

Made from the program by `python -m howdah.cli.reference > docs/reference/cli.md`; a test holds that it is current.

## What holds for every command

- Results go to standard output, progress and errors to standard error. On a terminal progress is shown in place;
  elsewhere it is a line for each step, and one for what takes longer than a second, with what it waits for.
- `--json` on what shows a state prints JSON. Its keys stay; new ones may be added. Amounts are in bytes, times in
  ISO 8601.
- Nothing is asked where standard input is not a terminal. What destroys data needs `--confirm NAME` there, and never
  takes `--yes` alone for an answer.
- Any command that changes something can be interrupted, by Ctrl-C or by `kill -9`; the same command goes on.
- Colour is used on terminals only, and never where `NO_COLOR` is set. See [the environment](environment.md).

| exit code | means |
|---|---|
| 0 | done, or nothing to do |
| 1 | failed: the message says what, and what to do |
| 2 | impossible: a wrong option, a name that is not there, a definition that does not fit. Nothing was touched |
| 3 | refused to protect data |
| 125 | of `exec`, `shell`, `submit`, `jobs wait`, `hdfs`: howdah itself failed; any other code is of what was run |
| 130 | interrupted |
| 141 | whoever read the output has gone |

A surprise, which is a bug, is shown with its traceback and ends with 1.
"""


def markdown() -> str:
    """The whole page."""
    import typer

    from howdah.cli.application import app

    parts = [HEAD]
    for path, text in _commands(typer.main.get_command(app), ("howdah",), None):
        parts.append(f"## {' '.join(path)}\n\n```\n{text}\n```\n")
    return "\n".join(parts)


def _commands(command: Any, path: tuple[str, ...], parent: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every command with its help, the groups before what is in them. The types are typer's own inner ones."""
    import typer

    context = typer.Context(
        command,
        info_name=path[-1],
        parent=parent,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        **command.context_settings,
    )
    lines = command.get_help(context).splitlines()
    yield path, "\n".join(line.rstrip() for line in lines).strip()
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*path, name), context)


if __name__ == "__main__":
    output.say(markdown().rstrip("\n"))
