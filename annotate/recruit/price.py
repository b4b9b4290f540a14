"""What people from Prolific cost: asked of Prolific, estimated by ourselves, and held against the budget.

Takes in a study, a client and a reward with a number of places; gives out a `Price`. HITs at the marketplace
are committed in the budget already, with the marketplace's fee; Prolific's fees and taxes come on top.

    >>> price = Price(places=30, reward=200, total=8568, currency="USD", minutes=10)
    >>> str(price)
    '$85.68 for 30 places ($60.00 to raters at $12.00 an hour, $25.68 fees and taxes)'
"""

import logging
from dataclasses import dataclass

import sqlalchemy as sa

from photojury.annotate.money.budget import check_budget
from photojury.annotate.recruit.offers import Offer
from photojury.annotate.recruit.prolific import Client
from photojury.annotate.recruit.studies import PROVIDER, Row, recruitments
from photojury.datasets import tables
from photojury.datasets.money import Cost, fee_of
from photojury.datasets.store import Study
from photojury.errors import InputError

log = logging.getLogger(__name__)

FEE_PERCENT = 42.8
"""Prolific's platform fee for companies; universities pay 33.3 % (prolific.com/pricing, 2026-09). Without tax."""

FLOORS = {"USD": 800, "GBP": 600}
"""The least hourly reward that Prolific allows, in minor units (researcher-help, 4407695146002)."""

_SIGNS = {"USD": "$", "GBP": "£", "EUR": "€"}


@dataclass(frozen=True)
class Price:
    """Minor units of `currency`: `reward` for one place, `total` for all with Prolific's fees and taxes.

    `minutes` is the estimated time for one place.
    """

    places: int
    reward: int
    total: int
    currency: str
    minutes: int

    @property
    def rewards(self) -> int:
        """What raters get."""
        return self.places * self.reward

    @property
    def fees(self) -> int:
        """What Prolific and the state get."""
        return self.total - self.rewards

    @property
    def hourly(self) -> int:
        """The hourly reward at the estimated time."""
        return self.reward * 60 // self.minutes

    @property
    def estimate(self) -> int:
        """The total by our own reckoning."""
        return self.rewards + round(self.rewards * FEE_PERCENT / 100)

    def __str__(self) -> str:
        def money(amount: int) -> str:
            return amount_in(self.currency, amount)

        return (
            f"{money(self.total)} for {self.places} places ({money(self.rewards)} to raters at {money(self.hourly)} "
            f"an hour, {money(self.fees)} fees and taxes)"
        )


def amount_in(currency: str, amount: int) -> str:
    """An amount in minor units as people read it.

    >>> amount_in("GBP", 123450)
    '£1,234.50'
    """
    return f"{_SIGNS.get(currency, currency + ' ')}{amount / 100:,.2f}"


def price_of(study: Study, client: Client, reward: int, places: int) -> Price:
    """What Prolific asks for so many places.

    Raises:
        InputError: the reward is under the least that Prolific allows for the estimated time.
    """
    currency = currency_of(client)
    minutes = study.settings.prolific.minutes
    price = Price(places, reward, client.cost(reward, places), currency, minutes)
    floor = FLOORS.get(currency, 0)
    if price.hourly < floor:
        least = -(-floor * minutes // 60)
        raise InputError(
            f"{amount_in(currency, reward)} for {minutes} minutes is {amount_in(currency, price.hourly)} an hour, and "
            f"Prolific allows no less than {amount_in(currency, floor)}; set prolific.minutes to the time that a HIT "
            f"takes, or plan HITs that pay at least {least} cents"
        )
    if price.total < price.rewards or price.total > 2 * price.estimate:
        log.warning("Prolific says %s, where %s was expected", price, amount_in(currency, price.estimate))
    return price


def currency_of(client: Client) -> str:
    """The currency of the account, in which all its amounts are."""
    return str(client.me().get("currency_code") or "USD").upper()


def check_offer(study: Study, client: Client, offer: Offer, price: Price) -> None:
    """Stop before a study that the budget does not allow, with what other studies at Prolific still cost.

    Raises:
        Refused: budget.hard_cents of study.toml is less.
    """
    limits = study.settings.budget
    if not (limits.hard_cents or limits.soft_cents):
        return
    more = _on_top(study, offer.batch, price.places, price.total)
    for row in recruitments(study):
        open_places = row["places"] - _paid(study, row)
        if row["state"] == "published" and row["batch"] != offer.batch and open_places > 0:
            reward = _hit(study, row["batch"])["reward"]
            more += _on_top(study, row["batch"], open_places, client.cost(reward, open_places))
    check_budget(study, Cost(0, more))


def _on_top(study: Study, batch: str, places: int, total: int) -> int:
    """What places cost beyond that for which their HITs are in the budget."""
    hit = _hit(study, batch)
    fee = fee_of(hit["reward"], hit["max_assignments"], study.settings.market.fee_percent)
    return max(0, total - places * (int(hit["reward"]) + fee))


def _hit(study: Study, batch: str) -> Row:
    return study.rows(sa.select(tables.hits).where(tables.hits.c.batch == batch).limit(1))[0]


def _paid(study: Study, row: Row) -> int:
    """Submissions of a recruitment that are settled."""
    submissions = tables.submissions
    query = sa.select(sa.func.count().label("paid")).where(
        submissions.c.provider == PROVIDER,
        submissions.c.recruitment_id == row["recruitment_id"],
        submissions.c.status == "APPROVED",
    )
    return int(study.rows(query)[0]["paid"])
