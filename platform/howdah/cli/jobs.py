"""Commands on jobs: send them, follow them, look at what became of them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from howdah.cli import output
from howdah.cli.options import AsJson, Name, parameters
from howdah.cli.surroundings import Surroundings, around

if TYPE_CHECKING:
    from howdah.jobs.submit import Jobs, Output
    from howdah.model.job import JobSpec

TO_THE_END = {"allow_interspersed_args": False}
"""Whatever comes after the program belongs to it."""

Program = Annotated[
    str, typer.Argument(metavar="PROGRAM", help="A file here, or local:… for one of the image.", show_default=False)
]
Arguments = Annotated[
    list[str] | None, typer.Argument(metavar="ARGUMENT", help="What the program is given.", show_default=False)
]
Files = Annotated[
    list[str] | None,
    typer.Option("--file", metavar="PATH", help="A file that goes with the program; can be repeated."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--conf", metavar="KEY=VALUE", help="A property of Spark or Hadoop; can be repeated."),
]
Detach = Annotated[bool, typer.Option("--detach", help="Print the job's id when it has started, and do not follow it.")]
Id = Annotated[
    str, typer.Option("--id", metavar="ID", help="The job's id: the same again goes on with it.", show_default=False)
]
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the groups to the program."""
    app.add_typer(_submit_group(), name="submit")
    jobs = typer.Typer(help="Show, follow and end jobs.", no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(jobs, name="jobs")
    jobs.command("list", epilog="\b\nExamples:\n  howdah jobs list\n  howdah jobs list demo --json")(list_jobs)
    job = "job-20260131-120000-a1b2c3"
    for command in (show, logs, wait, kill):
        jobs.command(epilog=f"\b\nExample:  howdah jobs {command.__name__} {job}")(command)


def _submit_group() -> typer.Typer:
    group = typer.Typer(
        help="Run a job on a cluster, with its output here.",
        no_args_is_help=True,
        rich_markup_mode=None,
        subcommand_metavar="spark|mapreduce|streaming [ARGS]...",
        epilog="""\b
        Examples:
          howdah submit demo spark wordcount.py /data/in /data/out
          howdah submit demo spark --conf spark.executor.memory=1g --class org.acme.Main app.jar
          howdah submit demo mapreduce local:hadoop-mapreduce-examples pi 4 1000
          howdah submit demo streaming --file map.py -- -input /in -output /out -mapper map.py

        Ends with the job's own exit code, or 125 where howdah itself failed. The job runs on the cluster, whatever
        becomes of this command: howdah jobs wait ID takes it up again.
        """,
    )
    group.callback()(submit)
    for command in (spark, mapreduce, streaming):
        group.command(context_settings=TO_THE_END)(command)
    return group


def submit(ctx: typer.Context, name: Name) -> None:
    """Run a job on a cluster, with its output here."""
    around(ctx).returns_inner_code()
    ctx.meta["howdah.cluster"] = name


def spark(
    ctx: typer.Context,
    program: Program,
    argument: Arguments = None,
    main_class: Annotated[
        str, typer.Option("--class", metavar="NAME", help="The main class of a jar.", show_default=False)
    ] = "",
    deploy_mode: Annotated[
        str, typer.Option("--deploy-mode", metavar="client|cluster", help="Where the driver runs.")
    ] = "client",
    file: Files = None,
    conf: Settings = None,
    job_id: Id = "",
    detach: Detach = False,
) -> None:
    """Run a Spark program: Python or a jar."""
    from howdah.model.job import DeployMode, JobKind, JobSpec

    if deploy_mode not in list(DeployMode):
        raise typer.BadParameter("client or cluster", param_hint="--deploy-mode")
    spec = JobSpec(
        JobKind.SPARK,
        program,
        tuple(argument or ()),
        main_class,
        tuple(file or ()),
        parameters(conf, "--conf"),
        DeployMode(deploy_mode),
    )
    _submit(ctx, spec, job_id, detach=detach)


def mapreduce(
    ctx: typer.Context,
    program: Program,
    argument: Arguments = None,
    file: Files = None,
    conf: Settings = None,
    job_id: Id = "",
    detach: Detach = False,
) -> None:
    """Run a MapReduce program: a jar."""
    from howdah.model.job import JobKind, JobSpec

    settings = parameters(conf, "--conf")
    spec = JobSpec(JobKind.MAPREDUCE, program, tuple(argument or ()), files=tuple(file or ()), settings=settings)
    _submit(ctx, spec, job_id, detach=detach)


def streaming(
    ctx: typer.Context,
    argument: Arguments = None,
    file: Files = None,
    conf: Settings = None,
    job_id: Id = "",
    detach: Detach = False,
) -> None:
    """Run programs that read lines and write lines, as MapReduce."""
    from howdah.model.job import JobKind, JobSpec

    settings = parameters(conf, "--conf")
    spec = JobSpec(JobKind.STREAMING, "", tuple(argument or ()), files=tuple(file or ()), settings=settings)
    _submit(ctx, spec, job_id, detach=detach)


def list_jobs(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of this cluster alone.", show_default=False)] = "",
    as_json: AsJson = False,
) -> None:
    """List jobs, oldest first, as they were last seen."""
    from howdah.cli import showing_jobs

    with around(ctx).client("reading the registry") as client:
        found = client.jobs.list(name)
    if as_json:
        output.say_json([showing_jobs.job_json(job) for job in found])
    else:
        output.say_all(showing_jobs.table(found))


def show(ctx: typer.Context, job_id: JobId, as_json: AsJson = False) -> None:
    """Show what a job does, waits for, or how it ended."""
    from howdah.cli import showing_jobs

    with around(ctx).client(f"looking at {job_id}") as client:
        found = client.jobs.show(job_id)
    if as_json:
        output.say_json(showing_jobs.status_json(found))
    else:
        output.say_all(showing_jobs.status(found))


def logs(
    ctx: typer.Context,
    job_id: JobId,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on until the job ends.")] = False,
) -> None:
    """Print what a job wrote, its standard error apart."""
    here = around(ctx)
    here.interruption = ""
    with here.client(f"reaching {job_id}") as client:
        _show(here, client.jobs.follow(job_id) if follow else client.jobs.logs(job_id))


def wait(ctx: typer.Context, job_id: JobId) -> None:
    """Wait for a job, and end with its exit code.

    Or with 125, where howdah itself failed.
    """
    here = around(ctx)
    here.returns_inner_code()
    here.interruption = f"interrupted: the job goes on; howdah jobs wait {job_id} takes it up again"
    with here.client(f"waiting for {job_id}") as client:
        jobs = client.jobs
        for piece in jobs.follow(job_id, from_start=False):
            if piece.channel == "note":
                here.note(piece.content.decode(errors="replace"))
        found = jobs.outcome(job_id)
    output.say(found.sentence)
    raise typer.Exit(found.exit_code)


def kill(ctx: typer.Context, job_id: JobId) -> None:
    """End a job: its client, and what YARN runs of it."""
    with around(ctx).client(f"ending {job_id}") as client:
        job = client.jobs.kill(job_id)
    output.say(job.outcome.sentence if job.outcome else f"{job_id} is being ended; it is {job.state.lower()}")


def _submit(ctx: typer.Context, spec: "JobSpec", job_id: str, *, detach: bool) -> None:
    here, cluster = around(ctx), ctx.meta["howdah.cluster"]
    with here.client(f"sending a job to {cluster}") as client:
        jobs = client.jobs
        # Chosen here, so that a command that is interrupted at any point can say how to go on.
        chosen = job_id or jobs.new_id()
        again = f"howdah jobs wait {chosen}"
        here.interruption = f"interrupted: if {chosen} was sent, it goes on; {again} takes it up again"
        jobs.submit(cluster, spec, chosen)
        if page := client.page(cluster, "resourcemanager"):
            output.tell(f"howdah: pages: {page} while `howdah ui {cluster}` runs")
        here.interruption = f"interrupted: the job goes on; {again} takes it up again"
        code = 0 if detach else _follow(here, jobs, chosen)
    if detach:
        output.say(chosen)
    raise typer.Exit(code)


def _follow(here: Surroundings, jobs: "Jobs", job_id: str) -> int:
    here.clear()
    output.tell(f"howdah: {job_id} has started")
    _show(here, jobs.follow(job_id))
    outcome = jobs.outcome(job_id)
    output.tell(f"howdah: {outcome.sentence}")
    return outcome.exit_code


def _show(here: Surroundings, pieces: "Iterable[Output]") -> None:
    from howdah.jobs.submit import Channel

    for piece in pieces:
        here.clear()
        match piece.channel:
            case Channel.STDOUT:
                output.say_bytes(piece.content)
            case Channel.STDERR:
                output.tell_bytes(piece.content)
            case Channel.NOTE:
                output.tell(f"howdah: {piece.content.decode(errors='replace')}")
