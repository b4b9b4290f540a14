"""`photojury embed` and `photojury train`."""

from pathlib import Path

import click

from photojury.options import json_option, study_option

device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    help="auto, cpu or cuda; auto takes a GPU where there is one.",
)
weights_option = click.option(
    "--weights",
    default="imagenet",
    show_default=True,
    help="Of VGG16: imagenet (torchvision's file in torch's cache, never downloaded), none, or a FILE.",
)


@click.command(epilog="Example: photojury embed --model classical --study demo-study")
@click.option("--model", default="classical", show_default=True, help="classical or vgg16-fc7.")
@weights_option
@device_option
@study_option
@json_option
def embed(model: str, weights: str, device: str, folder: Path, as_json: bool) -> None:
    """Compute features of the pictures; `annotate plan five_level` draws similar pairs with them."""
    from photojury.baselines.embed import embed as write_embedding
    from photojury.datasets.features import features_path
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    study = open_study(folder)
    with recording(study, "embed") as run:
        images, dimensions = write_embedding(study, model, weights=weights, device=device)
        path = features_path(study.folder, model)
        run.note("model", model)
        run.wrote(path)
    if as_json:
        import json

        click.echo(
            json.dumps({"model": model, "images": images, "dimensions": dimensions, "file": str(path)})
        )
        return
    click.echo(f"{images} pictures, {dimensions} numbers each: {path}")


@click.command(epilog="Example: photojury train hybrid-siamese --backbone small --study demo-study")
@click.argument("recipe")
@click.option(
    "--backbone", default="vgg16", show_default=True, help="vgg16, or small for CPUs and small studies."
)
@click.option(
    "--name", default="", help="Of the model: models/NAME and the scores' method. [default: RECIPE]"
)
@click.option("--epochs", type=int, help="Of the last stage. [default: the recipe's]")
@click.option("--learning-rate", type=float, help="Of the last stage. [default: the recipe's]")
@click.option("--batch-size", type=int, help="Pairs in a batch. [default: the recipe's]")
@click.option("--size", type=int, help="Pixels of a side of the pictures. [default: the recipe's]")
@click.option("--objective", help="hybrid, global (ratings only) or pairwise (pairs only). [default: hybrid]")
@click.option("--weight", help="Of the two losses: clamp, half, literal or fixed. [default: clamp]")
@click.option("--fixed-weight", type=float, help="Lambda with --weight fixed. [default: 0.5]")
@click.option("--targets", help="distribution, or majority (one label). [default: distribution]")
@weights_option
@device_option
@click.option("--restart", is_flag=True, help="Throw away what models/NAME holds and train anew.")
@study_option
@json_option
def train(
    recipe: str,
    backbone: str,
    name: str,
    epochs: int | None,
    learning_rate: float | None,
    batch_size: int | None,
    size: int | None,
    objective: str | None,
    weight: str | None,
    fixed_weight: float | None,
    targets: str | None,
    weights: str,
    device: str,
    restart: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Train a paper's network on a study; RECIPE is hybrid-siamese (paper 1).

    What was cut off goes on with the same command. Ends with the test measures, beside those of a predictor
    that looks at no picture.
    """
    from photojury.baselines.train import train as train_model
    from photojury.datasets.store import open_study
    from photojury.runs import recording

    study = open_study(folder)
    changes: dict[str, object] = {
        "epochs": epochs,
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "size": size,
        "objective": objective,
        "weight": weight,
        "fixed_weight": fixed_weight,
        "targets": targets,
    }
    with recording(study, "train") as run:
        result = train_model(
            study,
            recipe,
            backbone=backbone,
            name=name,
            device=device,
            weights=weights,
            changes=changes,
            restart=restart,
        )
        model = study.folder / "models" / (name or recipe)
        run.note("test", result["rows"])
        run.wrote(model / "best.pt")
        run.wrote(model / "evaluation.json")
    if as_json:
        import json

        click.echo(json.dumps(result))
        return
    _tell(result, model)


def _tell(result: dict[str, object], model: Path) -> None:
    rows = result["rows"]
    assert isinstance(rows, list)
    simulated = "; answers of simulated raters" if result["simulated"] else ""
    click.echo(
        f"{result['epochs']} epochs in {result['seconds']} s, the best was {result['best_epoch']}{simulated}"
    )
    names = [key for key in rows[0] if key != "name"]
    width = max(len(row["name"]) for row in rows)
    click.echo("  ".join([f"{'test part':{width}}", *names]))
    for row in rows:
        cells = (f"{_number(row[key]):>{len(key)}}" for key in names)
        click.echo("  ".join([f"{row['name']:{width}}", *cells]))
    click.echo(model / "evaluation.json")


def _number(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
