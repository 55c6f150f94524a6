"""Commands on the files of a cluster's HDFS, with the words and the output of Hadoop's own command line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from howdah.cli import output
from howdah.cli.options import AsJson, Name
from howdah.cli.surroundings import Surroundings, around
from howdah.errors import Refused, Transient

if TYPE_CHECKING:
    from howdah.filesystem.files import HdfsFiles

Paths = Annotated[list[str], typer.Argument(metavar="PATH", help="In HDFS; * and ? match.", show_default=False)]
AnyPaths = Annotated[list[str] | None, typer.Argument(metavar="PATH", help="In HDFS; your home if not given.")]
Target = Annotated[str, typer.Argument(metavar="TARGET", show_default=False)]
Recursive = Annotated[bool, typer.Option("-R", "--recursive", help="Also what is below.")]
Force = Annotated[bool, typer.Option("-f", "--force", help="Replace a file that is there.")]

EXAMPLES = """\b
Examples:
  howdah hdfs demo put words.txt /data/
  howdah hdfs demo ls -R /data
  howdah hdfs demo cat /data/words.txt | head
  howdah hdfs demo get '/data/*.txt' .

Ends with 1, 2 or 3 where HDFS said no, and with 125 where it could not be asked.
"""


def register(app: typer.Typer) -> None:
    """Add the group to the program."""
    group = typer.Typer(
        help="Work with the files of a cluster's HDFS, from here.",
        no_args_is_help=True,
        rich_markup_mode=None,
        epilog=EXAMPLES,
        subcommand_metavar="COMMAND [ARGS]...",
    )
    app.add_typer(group, name="hdfs")
    group.callback()(hdfs)
    for command in (ls, put, get, cat, rm, mv, mkdir, du, stat):
        group.command()(command)


def hdfs(ctx: typer.Context, name: Name) -> None:
    """Work with the files of a cluster's HDFS, from here."""
    here = around(ctx)
    here.returns_inner_code()
    here.interruption = "interrupted: files that were being copied are not there"
    ctx.meta["howdah.cluster"] = name


@contextmanager
def _files(ctx: typer.Context) -> "Iterator[tuple[Surroundings, HdfsFiles]]":
    here, name = around(ctx), ctx.meta["howdah.cluster"]
    with here.client(f"reaching HDFS of {name}") as client, client.files(name) as files:
        here.failure_code = None  # from here on it is HDFS that says no,
        try:
            yield here, files
        except Transient:
            here.returns_inner_code()  # unless it says nothing
            raise


def ls(ctx: typer.Context, path: AnyPaths = None, recursive: Recursive = False, as_json: AsJson = False) -> None:
    """List folders and files."""
    from howdah.cli import showing_files

    with _files(ctx) as (here, files):
        entries = files.ls(*(path or ()), recursive=recursive)
        if as_json:
            found = [showing_files.entry_json(entry) for entry in entries]
            here.clear()
            output.say_json(found)
        else:
            for entry in entries:
                here.clear()
                output.say(showing_files.entry(entry))


def put(
    ctx: typer.Context,
    source: Annotated[
        list[str], typer.Argument(metavar="SOURCE", help="Here; - is standard input.", show_default=False)
    ],
    target: Target,
    force: Force = False,
) -> None:
    """Copy files and folders into HDFS. Each appears there whole and compared, or not at all."""
    from howdah.cli import showing_files

    with _files(ctx) as (here, files):
        done = [files.put(one, target, force=force, progress=showing_files.copying(here.note)) for one in source]
    output.say_all(map(showing_files.copied, done))


def get(
    ctx: typer.Context,
    source: Annotated[list[str], typer.Argument(metavar="SOURCE", help="In HDFS; * and ? match.", show_default=False)],
    target: Target,
    force: Force = False,
) -> None:
    """Copy files and folders out of HDFS. Each appears here whole and compared, or not at all."""
    from howdah.cli import showing_files

    with _files(ctx) as (here, files):
        progress = showing_files.copying(here.note)
        done = [copy for one in source for copy in files.get(one, target, force=force, progress=progress)]
    output.say_all(map(showing_files.copied, done))


def cat(ctx: typer.Context, path: Paths) -> None:
    """Print files."""
    with _files(ctx) as (here, files):
        for piece in files.cat(*path):
            here.clear()
            output.say_bytes(piece)


def rm(
    ctx: typer.Context,
    path: Paths,
    recursive: Annotated[
        bool, typer.Option("-r", "-R", "--recursive", help="Folders, with all that is in them.")
    ] = False,
    skip_trash: Annotated[bool, typer.Option("--skip-trash", help="For good, not into the trash.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before much is removed for good.")] = False,
) -> None:
    """Move files and folders to the trash, or remove them for good."""
    from howdah.cli import showing_files

    with _files(ctx) as (here, files):
        minutes = 0 if skip_trash else files.trash_minutes
        if not minutes and not yes:
            _ask(here, files, path)
        removed = files.rm(*path, recursive=recursive, skip_trash=skip_trash)
    output.say_all(showing_files.removed(one, minutes) for one in removed)


def mv(
    ctx: typer.Context,
    source: Annotated[list[str], typer.Argument(metavar="SOURCE", help="In HDFS; * and ? match.", show_default=False)],
    target: Target,
) -> None:
    """Rename files and folders, or move them into a folder. Replaces nothing."""
    with _files(ctx) as (_, files):
        moves = [move for one in source for move in files.mv(one, target)]
    output.say_all(f"{old} is now {new}" for old, new in moves)


def mkdir(
    ctx: typer.Context,
    path: Paths,
    parents: Annotated[
        bool, typer.Option("-p", "--parents", help="Also those above; one that is there is fine.")
    ] = False,
) -> None:
    """Make folders."""
    with _files(ctx) as (_, files):
        made = [files.mkdir(one, parents=parents) for one in path]
    output.say_all(f"{one} {'is made' if new else 'is there already'}" for one, new in zip(path, made, strict=True))


def du(
    ctx: typer.Context,
    path: AnyPaths = None,
    summary: Annotated[bool, typer.Option("-s", "--summary", help="Only the sum of each path.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how much is in files and folders, in bytes."""
    from howdah.cli import showing_files

    with _files(ctx) as (_, files):
        counts = files.du(*(path or ()), summary=summary)
    if as_json:
        output.say_json([showing_files.count_json(count) for count in counts])
    else:
        output.say_all(showing_files.counts(counts))


def stat(ctx: typer.Context, path: Paths, as_json: AsJson = False) -> None:
    """Show all that HDFS knows of files and folders."""
    from howdah.cli import showing_files

    with _files(ctx) as (_, files):
        entries = files.stat(*path)
    if as_json:
        output.say_json([showing_files.entry_json(entry) for entry in entries])
    else:
        output.say_all(line for entry in entries for line in showing_files.details(entry))


def _ask(here: Surroundings, files: "HdfsFiles", paths: list[str]) -> None:
    """Before much is removed for good. Raises Refused."""
    from howdah.cli import showing_files
    from howdah.filesystem.values import is_large

    counts = files.count(*paths)
    if not is_large(counts):
        return
    here.clear()
    for line in showing_files.counts(counts):
        output.tell(line)
    if here.may_ask() and here.ask("remove all of this for good? type yes: ") == "yes":
        return
    raise Refused("so much is not removed for good without a word", fix="add --yes, or leave --skip-trash out")
