"""Judging: what the measures of pictures mean by the thresholds of study.toml, and which pictures are kept.

Takes in the rows of `checks` with the section [checks]; gives out verdicts there, and from these, people's
decisions and tombstones every image's status, rule and reason. Nothing is deleted, all of it can be undone: a
changed threshold, judged again, lets a picture pass again.

    >>> judge(study)                                # doctest: +SKIP
    >>> settle(study)                               # doctest: +SKIP
    Settled(kept=381, rejected=19, tombstoned=0, absent=0, changed=19)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from photojury.collect.checks import rules
from photojury.datasets import tables, tombstones
from photojury.datasets.store import Study
from photojury.sections import ChecksSection

# SQLite takes 32,766 parameters in a statement.
_AT_ONCE = 10_000

# What tombstones know an image by, beside its id.
_KNOWN_BY = ["source", "source_id", "author_id", "page_url", "file_url"]

# Held by whoever settles, so that of two at once on PostgreSQL the later sees what the earlier wrote.
_LOCK = sa.text("SELECT pg_advisory_xact_lock(7065)")


class Standing(NamedTuple):
    """What holds of an image; rule and reason are null where it is kept."""

    status: str
    rule: str | None = None
    reason: str | None = None


_KEPT = Standing("kept")


@dataclass
class Settled:
    """How many images are of each status now, and of how many it changed."""

    kept: int = 0
    rejected: int = 0
    tombstoned: int = 0
    absent: int = 0
    changed: int = 0


def judge(study: Study) -> None:
    """Write a verdict beside every measure that a rule speaks of; `settle` draws the conclusions.

    Verdicts of checks that are no measure (near_duplicate) are left as they are.
    """
    with study.writing() as connection:
        judge_within(connection, study.settings.checks)


def judge_within(connection: sa.Connection, section: ChecksSection) -> None:
    """`judge`, as part of a transaction."""
    table = tables.checks
    verdict = _verdict(section)
    connection.execute(
        sa.update(table)
        .where(table.c.check.in_(rules.RULES) & (table.c.verdict != verdict))
        .values(verdict=verdict, reason=None)
    )
    failed = sa.select(table.c.image_id, table.c.check, table.c.value, table.c.reason).where(
        (table.c.verdict == "fail") & table.c.check.in_(rules.RULES)
    )
    new = []
    for image, check, value, old in connection.execute(failed):
        reason = rules.RULES[check].sentence(value, section)
        if reason != old:
            new.append({"of": image, "in": check, "why": reason})
    if new:
        same = (table.c.image_id == sa.bindparam("of")) & (table.c.check == sa.bindparam("in"))
        connection.execute(sa.update(table).where(same).values(reason=sa.bindparam("why")), new)


def failures(connection: sa.Connection) -> dict[str, int]:
    """How many images fail each check, near duplicates and unusable files among them, in the rules' order."""
    table = tables.checks
    query = sa.select(table.c.check, sa.func.count()).where(table.c.verdict == "fail").group_by(table.c.check)
    counts = {check: count for check, count in connection.execute(query)}
    return {check: counts[check] for check in sorted(counts, key=lambda check: (rules.rank(check), check))}


def settle(study: Study, only: Sequence[str] | None = None) -> Settled:
    """Derive status, rule and reason of images from tombstones, people's decisions and verdicts, in this order.

    Whoever writes a verdict (`checks`), a decision or a tombstone calls this afterwards; nobody else writes
    these three columns. The same rows give the same result, whoever called before.

    Args:
        study: whose images.
        only: image ids; all images when None.
    """
    with study.writing() as connection:
        return settle_within(connection, only)


def settle_within(connection: sa.Connection, only: Sequence[str] | None = None) -> Settled:
    """`settle`, as part of a transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
    result = Settled()
    buried = _buried(connection)
    for part in _parts(only):
        _settle_part(connection, part, buried, result)
    return result


def _settle_part(
    connection: sa.Connection, part: Sequence[str] | None, buried: Mapping[str, str], result: Settled
) -> None:
    table = tables.images
    decided = _decided(connection, part)
    failed = _failed(connection, part)
    names = ["image_id", "status", "rule", "reason"] + (_KNOWN_BY if buried else [])
    columns = [table.c[name] for name in names]
    changes = []
    for row in connection.execute(_among(sa.select(*columns), table, part)):
        image, *standing = row[:4]
        old = Standing(*standing)
        new = (
            _tombstoned(old, row, buried) or _absent(old) or decided.get(image) or failed.get(image) or _KEPT
        )
        setattr(result, new.status, getattr(result, new.status) + 1)
        if new != old:
            changes.append({"of": image, "to": new.status, "by": new.rule, "why": new.reason})
    result.changed += len(changes)
    if changes:
        connection.execute(
            sa.update(table)
            .where(table.c.image_id == sa.bindparam("of"))
            .values(status=sa.bindparam("to"), rule=sa.bindparam("by"), reason=sa.bindparam("why")),
            changes,
        )


def _tombstoned(old: Standing, row: "sa.Row[Any]", buried: Mapping[str, str]) -> Standing | None:
    """A tombstone stands against it now, or it was buried before: that is never taken back here."""
    if buried:
        for key in tombstones.keys_of(dict(row._mapping)):
            if key in buried:
                return Standing("tombstoned", "tombstone", buried[key])
    return old if old.status == "tombstoned" else None


def _absent(old: Standing) -> Standing | None:
    """Without a file there is nothing that a check or a person could judge."""
    return old if old.status == "absent" else None


def _buried(connection: sa.Connection) -> dict[str, str]:
    table = tables.tombstones
    return {key: reason for key, reason in connection.execute(sa.select(table.c.key, table.c.reason))}


def _decided(connection: sa.Connection, part: Sequence[str] | None) -> dict[str, Standing]:
    """People's newest decisions; `auto` is none."""
    table = tables.decisions
    query = sa.select(table.c.image_id, table.c.status, table.c.reason).order_by(table.c.decided_at)
    newest = {
        image: (status, reason) for image, status, reason in connection.execute(_among(query, table, part))
    }
    return {
        image: Standing("rejected", rules.CURATION, reason or "rejected by hand")
        if status == "rejected"
        else _KEPT
        for image, (status, reason) in newest.items()
        if status != "auto"
    }


def _failed(connection: sa.Connection, part: Sequence[str] | None) -> dict[str, Standing]:
    """For each image that fails checks the first of these, in the order of `rules.rank`."""
    table = tables.checks
    query = sa.select(table.c.image_id, table.c.check, table.c.reason).where(table.c.verdict == "fail")
    found: dict[str, Standing] = {}
    for image, check, reason in connection.execute(_among(query, table, part)):
        known = found.get(image)
        if known is None or rules.rank(check) < rules.rank(str(known.rule)):
            found[image] = Standing("rejected", check, reason or f"it fails the check {check}")
    return found


def _verdict(section: ChecksSection) -> "sa.ColumnElement[str]":
    """SQL for what `rules` say of a measure: one statement judges millions of rows."""
    table = tables.checks
    cases: list[tuple[Any, Any]] = [(table.c.value.is_(None), "unjudged")]
    for rule in rules.RULES.values():
        limit = rule.limit(section)
        this = table.c.check == rule.check
        if limit is None:
            cases.append((this, "unjudged"))
        else:
            bad = table.c.value < limit if rule.least else table.c.value > limit
            cases += [(this & bad, "fail"), (this, "pass")]
    return sa.case(*cases, else_=table.c.verdict)


def _among(query: "sa.Select[Any]", table: sa.Table, part: Sequence[str] | None) -> "sa.Select[Any]":
    return query if part is None else query.where(table.c.image_id.in_(part))


def _parts(only: Sequence[str] | None) -> Iterator[Sequence[str] | None]:
    if only is None:
        yield None
        return
    for start in range(0, len(only), _AT_ONCE):
        yield only[start : start + _AT_ONCE]
