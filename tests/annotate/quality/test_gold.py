"""Gold, training and repeats: taken in with care, planned into HITs, fetched, and counted nowhere."""

import json
from pathlib import Path

import boto3
import pandas as pd
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from photojury.analysis.answers import of_study
from photojury.annotate.answers_xml import NAMESPACE
from photojury.annotate.batches import plan
from photojury.annotate.commands.gold import gold
from photojury.annotate.fetch import fetch
from photojury.annotate.intake import HandedIn, take_in
from photojury.annotate.publish import publish
from photojury.annotate.quality.control_questions import repeats, with_controls
from photojury.annotate.quality.gold import Added, add_gold, golds_due, listed, promote
from photojury.annotate.requester import Requester
from photojury.annotate.simulation.simulate import drawn_truth, panel, simulate
from photojury.datasets import tables
from photojury.datasets.loading import read_answers
from photojury.datasets.releases.write import release
from photojury.datasets.store import Study
from photojury.errors import InputError
from tests.support import VALUES, make_study, marketplace


def ids(study: Study) -> list[str]:
    return sorted(study.read("images")["image_id"])


def write(folder: Path, text: str) -> Path:
    path = folder / "gold.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_gold_falls_due_as_in_mephisto() -> None:
    """Two at first; then 1 more after 10 answers, 4 at 99 and 11 at 999: about 5 % of 100, 1 % of 1000."""
    assert [golds_due(n, 2) for n in (0, 9, 10, 99, 999)] == [2, 2, 3, 6, 13]
    due = [golds_due(n, 2) for n in range(2000)]
    assert due == sorted(due)
    assert golds_due(0, 0) == 0


def test_a_file_becomes_gold_questions(study: Study, tmp_path: Path) -> None:
    """A picture is named by its id, the beginning of that, or its source id; the same file again adds nothing."""
    a, b, _ = ids(study)[:3]
    source = study.read("images", {"image_id": ids(study)[2]})["source_id"].iloc[0]
    path = write(tmp_path, f"first,value,explanation\n{a},3,sharp\n{b[:10]},1,\n{source},1,blurred\n")
    assert add_gold(study, path, "stars") == Added(new=3, known=0)
    assert add_gold(study, path, "stars") == Added(new=0, known=3)
    units = study.read("units").set_index("first_id")
    assert units["gold"].to_dict() == {a: 3.0, b: 1.0, ids(study)[2]: 1.0}
    assert set(units["control"]) == {"gold"} == set(units["batch"])
    assert units.loc[a, "explanation"] == "sharp"
    assert add_gold(study, path, "stars", training=True) == Added(new=3, known=0)


def test_every_wrong_row_is_named_with_its_line(study: Study, tmp_path: Path) -> None:
    """All wrong rows are told at once, and nothing is taken in."""
    a = ids(study)[0]
    text = f"first,second,value\n{a},,3\nnowhere.jpg,,2\n{a},,4\n{a},,\n{a},{ids(study)[1]},1\n"
    with pytest.raises(InputError) as caught:
        add_gold(study, write(tmp_path, text), "stars")
    message = str(caught.value)
    assert "nothing was taken in, 4 rows are wrong" in message
    for part in ("line 3: there is no kept picture 'nowhere.jpg'", "line 4: the value is 4; stars takes 1, 2, 3",
                 "line 5: the value is missing", "line 6: stars is about one picture"):  # fmt: skip
        assert part in message
    assert study.count("units") == 0


def test_a_pair_is_one_question_either_way_round(study: Study, tmp_path: Path) -> None:
    """The turned pair with the turned answer is the same question; with the same answer it contradicts."""
    a, b = ids(study)[:2]
    head = "first,second,value,explanation\n"
    assert add_gold(study, write(tmp_path, f"{head}{a},{b},2,\n{b},{a},-2,\n"), "five_level") == Added(1, 1)
    with pytest.raises(InputError, match=r"has two answers, -2 and 2; keep one"):
        add_gold(study, write(tmp_path, f"{head}{b},{a},2,\n"), "five_level")
    with pytest.raises(InputError, match="both pictures are the same"):
        add_gold(study, write(tmp_path, f"{head}{a},{a},1,\n"), "forced_choice")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "lacks the column first"),
        ("first,value\n\xff\n", "no kept picture"),
        ("", "lacks the column"),
    ],
)
def test_no_such_csv(study: Study, tmp_path: Path, text: str, message: str) -> None:
    """A file that is something else is one sentence."""
    with pytest.raises(InputError, match=message):
        add_gold(study, write(tmp_path, text), "stars")


def test_repeats_are_a_tenth_on_average() -> None:
    """10 % of 4 questions is 0.4: over 2,000 HITs 800 repeats, give or take four standard errors (88)."""
    units = [
        {"unit_id": f"u{i}", "batch": "b", "first_id": f"p{i}", "second_id": f"q{i}", "draw": i}
        for i in range(4)
    ]
    counts = [len(repeats(units, 0.1, 1, f"hit {i}")) for i in range(2000)]
    assert set(counts) == {0, 1}
    assert abs(sum(counts) - 800) < 88
    assert len(repeats(units, 0.5, 1, "hit")) == 2
    assert repeats(units[:2], 0.5, 1, "hit") == []
    again = repeats(units, 0.5, 1, "hit")[0]
    number = again["repeat_of"][1]
    assert (again["first_id"], again["second_id"]) == (f"q{number}", f"p{number}")
    assert again["control"] == "repeat"


def test_a_hit_brings_no_gold_that_it_asks_about() -> None:
    """Four gold questions at most, none about a picture of the HIT; training in the order of the file."""
    units = [{"first_id": "p0", "second_id": "p1"}]
    controls = [
        {"unit_id": f"{kind}{i}", "control": kind, "first_id": f"p{i}", "second_id": f"p{i + 1}"}
        for kind in ("gold", "training")
        for i in range(8)
    ]
    rows = [with_controls({"hit_key": f"h{n}"}, units, controls, 3, seed=1) for n in range(60)]
    drawn = [json.loads(row["gold_ids"]) for row in rows]
    assert {len(set(golds)) for golds in drawn} == {4}
    assert {name for golds in drawn for name in golds} == {f"gold{i}" for i in range(2, 8)}
    assert {row["training_ids"] for row in rows} == {'["training0", "training1", "training2"]'}


@pytest.fixture
def planned(tmp_path: Path) -> Study:
    """24 pictures of stars in six HITs, two questions of each again; two gold questions and one for training."""
    study = make_study(tmp_path, values={**VALUES, ("quality", "repeats"): 0.5})
    best, worst = ids(study)[:2]
    add_gold(study, write(tmp_path, f"first,value\n{best},3\n{worst},1\n"), "stars")
    add_gold(study, write(tmp_path, f"first,value,explanation\n{best},3,sharp\n"), "stars", training=True)
    batch = plan(study, "stars")
    assert (batch.units, batch.repeats, batch.golds, batch.trainings) == (24, 12, 2, 1)
    assert batch.cost.rewards == 6 * 3 * 20
    return study


def test_gold_leaves_the_plan_as_it_was(planned: Study) -> None:
    """Pictures of gold questions are asked about like any other, each once; each HIT has its repeats and control ids."""
    units = planned.read("units")
    ordinary = units[units["control"].isna()]
    assert sorted(ordinary["first_id"]) == ids(planned)
    control_of = units.set_index("unit_id")["control"].fillna("").to_dict()
    for hit in planned.read("hits").to_dict("records"):
        kinds = [control_of[unit] for unit in json.loads(hit["unit_ids"])]
        assert kinds == [""] * 4 + ["repeat"] * 2
        assert {control_of[unit] for unit in json.loads(hit["gold_ids"])} <= {"gold"}
        assert [control_of[unit] for unit in json.loads(hit["training_ids"])] == ["training"]
    with pytest.raises(InputError, match="planned already"):
        plan(planned, "stars")


def hand_in(study: Study, rater: str, value: int, *, controls: bool) -> list[str]:
    """A rater's answers to every HIT, all of the same value, as the marketplace would give them; what was wrong."""
    units = {row["unit_id"]: row for row in study.rows(sa.select(tables.units))}
    problems: list[str] = []
    for hit in study.rows(sa.select(tables.hits)):
        own, extra = (
            json.loads(hit["unit_ids"]),
            json.loads(hit["gold_ids"]) + json.loads(hit["training_ids"]),
        )
        items = [
            {"unit": name, "shown": [units[name]["first_id"]], "value": value, "position": i, "ms": 900 + i}
            for i, name in enumerate([*own, *extra] if controls else own)
        ]
        field = f"<QuestionIdentifier>answers</QuestionIdentifier><FreeText>{json.dumps(items)}</FreeText>"
        xml = f'<QuestionFormAnswers xmlns="{NAMESPACE}"><Answer>{field}</Answer></QuestionFormAnswers>'
        handed = HandedIn(f"{rater}{hit['hit_key']}", rater, f"A{rater}", False, 0.0, 60.0, "Submitted", xml)
        answers = take_in(study, hit, {name: units[name] for name in [*own, *extra]}, handed, "local")
        assert answers is not None
        problems += answers.problems
    return problems


def test_control_answers_are_kept_and_counted_nowhere(planned: Study, tmp_path: Path) -> None:
    """A rater who meets them all: every answer is in the store, and only ordinary ones are analysed and trained on."""
    assert hand_in(planned, "FIRST", 2, controls=True) == []
    controls = planned.read("units").set_index("unit_id")["control"].fillna("")
    stored = planned.read("ratings")["unit_id"].map(controls).value_counts().to_dict()
    golds = sum(len(json.loads(text)) for text in planned.read("hits")["gold_ids"])
    assert stored == {"": 24, "repeat": 12, "gold": golds, "training": 6}
    assert len(of_study(planned).ratings) == 24
    answers = read_answers(planned)
    assert sum(part.images.votes.sum() for part in answers.parts.values()) == 24
    folder = release(planned, tmp_path / "release", version="1.0.0")
    released = pd.read_parquet(folder / "tables" / "ratings.parquet")
    assert (len(released), int(released["use"].sum())) == (42 + golds, 24)


def test_gold_not_due_is_no_missing_answer(planned: Study) -> None:
    """Who met no gold and no training question has left nothing out."""
    assert hand_in(planned, "FIRST", 2, controls=False) == []


def test_simulated_raters_meet_gold_as_it_falls_due(study: Study, tmp_path: Path) -> None:
    """Six HITs of four questions: 2 gold questions at first, and ceil(log10(25) ** 2.2) - 1 = 2 more by 24 answers."""
    rows = "".join(f"{image},3\n" for image in ids(study)[:12])
    add_gold(study, write(tmp_path, f"first,value\n{rows}"), "stars")
    plan(study, "stars")
    with marketplace(study) as url:
        requester = Requester(boto3.client("mturk", region_name="us-east-1", endpoint_url=url), url)
        publish(study, requester)
        simulate(url, panel(1, seed=1, careless=0), drawn_truth(study), seed=1)
        fetch(study, requester)
    controls = study.read("units").set_index("unit_id")["control"].fillna("")
    assert study.read("ratings")["unit_id"].map(controls).value_counts().to_dict() == {"": 24, "gold": 4}
    assert study.read("assignments")["reason"].isna().all()


def test_promotion_takes_the_unanimous_extremes(planned: Study) -> None:
    """Three raters who all say 3 make gold; with a fourth who says 2 there is nothing new; all 2 is no extreme."""
    for name in ("ONE", "TWO"):
        hand_in(planned, name, 3, controls=False)
    assert promote(planned, "stars", raters=3) == Added(0, 0)
    hand_in(planned, "THREE", 3, controls=False)
    # All 24 pictures, of which two are gold already; one of these by the file was said to be worth 1 star.
    worst = ids(planned)[1]
    with planned.writing() as connection:
        of_worst = (tables.units.c.first_id == worst) & (tables.units.c.control == "gold")
        connection.execute(sa.update(tables.units).where(of_worst).values(gold=3.0))
    assert promote(planned, "stars", raters=3) == Added(22, 2)
    assert set(listed(planned)["gold"]) == {3.0}
    hand_in(planned, "FOUR", 2, controls=False)
    assert promote(planned, "stars", raters=4) == Added(0, 0)


def test_the_commands(study: Study, tmp_path: Path) -> None:
    """add and list speak of what is there, as text and as JSON."""
    path = write(tmp_path, f"first,second,value\n{ids(study)[0]},{ids(study)[1]},1\n")
    place = ["--study", str(study.folder)]
    added = CliRunner().invoke(gold, ["add", str(path), "--task", "forced-choice", *place])
    assert (added.exit_code, added.stdout) == (0, "took in 1 gold questions\n")
    shown = json.loads(CliRunner().invoke(gold, ["list", "--json", *place]).stdout)
    assert [(row["task"], row["gold"], row["answers"]) for row in shown] == [("forced_choice", 1.0, 0)]
    assert "nothing" not in CliRunner().invoke(gold, ["list", *place]).stdout
