"""Now: how far, how much, how long, what is wrong, what to do next; looks again by itself while the study runs."""

import altair as alt
import pandas as pd
import streamlit as st

from photojury.analysis.dashboard import charts, look, parts, running, words
from photojury.analysis.dashboard.frame import opened_here
from photojury.analysis.dashboard.opening import Opened
from photojury.analysis.progress import BatchStatus, Pace
from photojury.analysis.wording import MISSING, plural
from photojury.datasets.money import dollars
from photojury.sections import BudgetSection

# Seconds after which a running study is looked at again.
AGAIN = 5


def draw() -> None:
    opened = opened_here()
    with parts.page("Now", "How far is it, what does it cost, when is it done, and what is to be done next?"):
        if opened.kind == "study":
            _running(opened)
        else:
            _finished(opened)


@st.fragment(run_every=AGAIN)
def _running(opened: Opened) -> None:
    seen = running.look(opened.study)
    now, budget = seen.status, opened.study.settings.budget
    submitted, wanted = (
        sum(getattr(batch, name) for batch in now.batches) for name in ("submitted", "wanted")
    )
    parts.tiles(
        {
            f"in, of {wanted:,} assignments": f"{submitted:,}",
            "time left": _left(seen.pace),
            "an hour pays": _wage(now.batches),
            "spent": dollars(now.spent.total),
            "to come, at most": dollars(now.to_come.total),
            "budget": _budget(budget),
            "raters": f"{now.raters:,}",
        },
        notes={
            "time left": f"At the rate of the last {seen.pace.hours:.1f} hours, {seen.pace.per_hour:,.0f} assignments "
            "an hour, of HITs that are published",
            "an hour pays": "At the median time of those whose answers are used, weighted by assignments; promised are "
            f"{dollars(now.promised_cents)}",
            "spent": str(now.spent).replace("$", r"\$"),
            "to come, at most": "When all planned assignments are approved: "
            + str(now.to_come).replace("$", r"\$"),
        },
    )
    parts.box("note", "Next:", key="next", command=parts.here(opened, now.next_step))
    _alarms(opened, seen)
    _batches(now.batches, now.promised_cents)
    _by_hour(seen.pace)


def _alarms(opened: Opened, seen: running.Look) -> None:
    st.header("Alarms", anchor=False)
    if not seen.alarms:
        st.caption("None.")
    for number, alarm in enumerate(seen.alarms):
        command = parts.here(opened, alarm.command) if alarm.command else ""
        parts.box(alarm.level, alarm.text, key=f"alarm-{number}", command=command)


def _batches(batches: list[BatchStatus], promised: int) -> None:
    st.header("Batches", anchor=False)
    if not batches:
        st.caption("Nothing is planned yet.")
        return
    rows = [
        {
            "batch": batch.batch,
            "done": batch.submitted / batch.wanted if batch.wanted else 0.0,
            "answers in": f"{batch.submitted:,} of {batch.wanted:,}",
            "questions": batch.units,
            "HITs": batch.hits,
            "published": batch.published,
            "approved": batch.approved,
            "rejected": batch.rejected,
            "hit_seconds": batch.median_active_seconds,
            "hourly": MISSING if batch.hourly_cents is None else dollars(batch.hourly_cents),
        }
        for batch in batches
    ]
    table = pd.DataFrame(rows)
    if not table["rejected"].any():
        table = table.drop(columns="rejected")
    words.table(table, key="batches", alt="Progress of each batch")
    if promised:
        st.caption(f"Promised are {dollars(promised)} an hour.".replace("$", r"\$"))


def _by_hour(speed: Pace) -> None:
    st.header("Assignments by the hour", anchor=False)
    table = speed.by_hour.assign(hour=pd.to_datetime(speed.by_hour["hour"], unit="s"))
    chart = (
        alt.Chart(table, height=180)
        .mark_bar(color=look.colours().ours)
        .encode(
            x=alt.X(
                "hour:T", title="the last 48 hours (UTC)", axis=alt.Axis(format="%d %b %H:00", tickCount=6)
            ),
            y=alt.Y("assignments:Q", title="assignments", axis=alt.Axis(format="~s", tickCount=4)),
            tooltip=[alt.Tooltip("hour:T", format="%d %b %H:00"), alt.Tooltip("assignments:Q", format=",")],
        )
    )
    total = int(table["assignments"].sum())
    if not total:
        st.caption("None in the last 48 hours.")
        return
    charts.show(
        chart, table, name="by-hour", alt_text=f"Assignments handed in by hour; {total:,} in 48 hours"
    )


def _finished(opened: Opened) -> None:
    answers = opened.answers
    with parts.section("What is here", key="here"):
        parts.tiles(
            {
                "ratings": f"{len(answers.ratings):,}",
                "comparisons": f"{len(answers.comparisons):,}",
                "raters": f"{_raters(opened):,}",
                "images": f"{len(answers.images):,}",
                "left out": f"{sum(answers.left_out.values()):,}",
            }
        )
        for reason, count in answers.left_out.items():
            st.text(f"{count:,} {reason}")
    parts.box(
        "note",
        f"A {opened.kind} does not run: progress, money and alarms are those of a study. Name its folder:",
        key="no-study",
        command="photojury dashboard my-study",
    )


def _raters(opened: Opened) -> int:
    both = (opened.answers.ratings["rater_id"], opened.answers.comparisons["rater_id"])
    return int(pd.concat([ids.dropna() for ids in both]).nunique())


def _left(speed: Pace) -> str:
    if not speed.left:
        return "done"
    hours = speed.hours_left
    if hours is None:
        return MISSING
    if hours < 1:
        return f"{max(1, round(60 * hours))} min"
    return f"{hours:.1f} h" if hours < 48 else plural(round(hours / 24), "day")


def _wage(batches: list[BatchStatus]) -> str:
    known = [(batch.hourly_cents, batch.submitted) for batch in batches if batch.hourly_cents is not None]
    weight = sum(n for _, n in known)
    return dollars(round(sum(cents * n for cents, n in known) / weight)) if weight else MISSING


def _budget(budget: BudgetSection) -> str:
    return (
        dollars(budget.hard_cents or budget.soft_cents)
        if budget.hard_cents or budget.soft_cents
        else "no limit"
    )


draw()
