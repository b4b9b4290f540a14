"""`photojury analyze plan`: how many raters, for what precision, at what cost."""

import click

from photojury.analysis.commands.places import Place, place_options
from photojury.options import json_option


@click.command(epilog="Example: photojury analyze plan --images 2000 --study demo-study")
@place_options
@click.option(
    "--images", type=click.IntRange(min=1), help="Pictures to rate; the kept ones of the study if left out."
)
@click.option(
    "--half-width", type=float, help="Wanted: 95 % interval of a mean rating of at most +- so many stars."
)
@click.option(
    "--reliability", type=float, default=0.8, show_default=True, help="Wanted: of the mean ratings."
)
@click.option(
    "--single", type=float, help="Correlation of two raters; of the study's ratings, or 0.36 (paper 4)."
)
@click.option("--sos", type=float, help="SOS parameter; of the study's ratings, or 0.15.")
@click.option(
    "--preference",
    type=float,
    default=0.7,
    show_default=True,
    help="Share of raters who prefer one of a pair.",
)
@click.option("--reward-cents", type=click.IntRange(min=0), help="For one HIT; study.toml's if left out.")
@click.option("--fee-percent", type=float, help="The marketplace's fee; study.toml's if left out.")
@click.option(
    "--fee-many-percent",
    type=float,
    default=20.0,
    show_default=True,
    help="More from 10 assignments a HIT on.",
)
@click.option(
    "--fee-least-cents", type=click.IntRange(min=0), default=1, show_default=True, help="Least fee."
)
@json_option
def plan(
    place: Place,
    images: int | None,
    half_width: float | None,
    reliability: float,
    single: float | None,
    sos: float | None,
    preference: float,
    reward_cents: int | None,
    fee_percent: float | None,
    fee_many_percent: float,
    fee_least_cents: int,
    as_json: bool,
) -> None:
    """Say how many ratings an image, votes a pair and dollars a study takes.

    What the study's answers so far tell about its raters (their spread and correlation) is used; else what is usual.
    """
    from photojury.analysis import plans
    from photojury.analysis.planning import Fees

    answers = place.open()
    settings = answers.settings
    percent = settings.market.fee_percent if fee_percent is None else fee_percent
    found = plans.plan(
        answers,
        images=images,
        half_width=half_width,
        reliability=reliability,
        single=single,
        sos=sos,
        preference=preference,
        reward_cents=settings.stars.reward_cents if reward_cents is None else reward_cents,
        fees=Fees(share=percent / 100, more=fee_many_percent / 100, least_cents=fee_least_cents),
    )
    if as_json:
        import json

        click.echo(json.dumps(plans.facts(found), indent=2))
        return
    click.echo(plans.text(found))
