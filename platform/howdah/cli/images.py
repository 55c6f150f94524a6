"""Commands on the images that clusters are made of."""

from enum import StrEnum
from typing import Annotated

import typer

from howdah.cli import output
from howdah.cli.options import AsJson
from howdah.cli.surroundings import around


class Kind(StrEnum):
    """The images, each built on the one before it."""

    BASE = "base"
    HADOOP = "hadoop"
    SPARK = "spark"


Kinds = Annotated[
    list[Kind] | None, typer.Argument(metavar="KIND", help="base, hadoop or spark; all if none is given.")
]


def register(app: typer.Typer) -> None:
    """Add the group to the program."""
    group = typer.Typer(
        help="Build, list and verify the images that clusters are made of.", no_args_is_help=True, rich_markup_mode=None
    )
    app.add_typer(group, name="image")
    group.command(epilog="\b\nExamples:\n  howdah image build\n  howdah image build hadoop")(build)
    group.command("list", epilog="\b\nExample:  howdah image list --json")(list_images)
    group.command(epilog="\b\nExample:  howdah image verify hadoop")(verify)


def build(ctx: typer.Context, kind: Kinds = None) -> None:
    """Have images, and what they are built on. A launch does the same for those that it needs."""
    here = around(ctx)
    results = []
    for one in kind or list(Kind):
        with here.client(f"looking for image {one}") as client:
            was_made = client.build_image(one, here.note)
        results.append(f"image {one} {f'is ready in {here.seconds():.0f} s' if was_made else 'is there already'}")
    output.say_all(results)


def list_images(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the images on the engine, and which are of use."""
    from howdah.cli import showing_machine

    with around(ctx).client("asking the engine") as client:
        found = client.images()
    if as_json:
        output.say_json(showing_machine.images_json(found))
    else:
        output.say_all(showing_machine.images(found))


def verify(ctx: typer.Context, kind: Kinds = None) -> None:
    """Compare images, file by file, with what was built. Ends with 1 where one differs."""
    here, is_whole = around(ctx), True
    for one in kind or list(Kind):
        with here.client(f"reading every file of image {one}") as client:
            differences = client.verify_image(one)
        output.say_all(f"image {one}: {difference}" for difference in differences)
        if not differences:
            output.say(f"image {one} is as it was built")
        is_whole = is_whole and not differences
    if not is_whole:
        raise typer.Exit(1)
