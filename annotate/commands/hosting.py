"""`photojury annotate host`: the study's pictures on S3."""

from pathlib import Path

import click

from photojury.options import json_option, study_option


@click.command(epilog="Example: photojury annotate host --create --study demo-study")
@click.option("--planned", is_flag=True, help="Only the pictures that planned questions show.")
@click.option("--create", is_flag=True, help="Make the bucket where it is not there.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent; send nothing, change nothing.")
@study_option
@json_option
def host(planned: bool, create: bool, dry_run: bool, folder: Path, as_json: bool) -> None:
    """Upload the study's pictures to the bucket of [hosting] in study.toml, for raters far from this machine.

    What is there already is left alone, so after a crash just run it again. A CORS rule is added to the bucket's
    own; no access rule of the bucket is changed: if browsers are refused, the policy that is needed is printed.
    """
    import dataclasses
    import json

    from photojury.annotate.images import hosting
    from photojury.annotate.images.bucket import open_bucket
    from photojury.datasets.store import open_study
    from photojury.progress import counter
    from photojury.runs import recording

    study = open_study(folder)
    bucket = open_bucket(study.settings)
    if dry_run:
        done = hosting.host(study, planned_only=planned, create=create, keep=False)
    else:
        with recording(study, "annotate-host") as run:
            with counter("uploading pictures") as progress:
                done = hosting.host(study, progress, planned_only=planned, create=create)
            run.note("uploaded", done.uploaded)
            run.note("skipped", done.skipped)
    for image, problem in done.problems:
        click.echo(f"not sent, {image[:12]}: {problem}", err=True)
    if done.readable is False:
        click.echo(hosting.advice(bucket), err=True)
    if bucket.temporary and bucket.hosting.urls == "presigned":
        click.echo(
            "these AWS credentials are temporary: presigned addresses end with them, before hosting.hours",
            err=True,
        )
    if as_json:
        facts = {**dataclasses.asdict(done), "bucket": bucket.name, "dry_run": dry_run}
        if done.readable is False and bucket.hosting.urls == "public":
            facts["policy"] = json.loads(bucket.policy())
        click.echo(json.dumps(facts))
    else:
        verb = "would upload" if dry_run else "uploaded"
        text = f"{verb} {done.uploaded} pictures ({done.bytes / 1e6:.1f} MB) to {bucket.name}"
        click.echo(f"{text}, {done.skipped} were there")
    if done.problems or done.readable is False:
        # 3: finished, but something is left to put right.
        click.get_current_context().exit(3)
