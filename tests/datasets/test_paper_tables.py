"""Every figure of every table of the five papers: as the papers' texts have them, and as arithmetic has them."""

import doctest
import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from photojury.cli import group
from photojury.datasets.papers import cells, cells_of, number, paper, paper_table, papers
from photojury.errors import InputError

# Of each table: cells, figures, and where the text of the paper has it (from, to).
TABLES = {
    ("action_shots", 1): (9, 9, "Better Equal Worse", "Table 1. Confusion"),
    ("action_shots", 2): (12, 8, "Training Data Testing Data", "Table 2. Average"),
    ("like_image", 1): (18, 15, "max ratings*", "Handy shot"),
    ("like_image", 2): (12, 12, "dist ∆", "rived scores"),
    ("like_image", 3): (11, 11, "accuracy\n\nDCNN", "input\n\nuntrained"),
    ("series_photos", 1): (4, 4, "Method\t[8]", "The overall architecture"),
    ("series_photos", 2): (4, 4, "Method\t$L_3$", "yielding the statistics"),
    ("series_photos", 3): (6, 6, "Method\tAccuracy (%)\tMethod", "#### 3.3"),
    ("series_photos", 4): (3, 3, "Method\tAvg. Pooling", "pooling complement"),
    ("aadb", 1): (16, 0, "AADB AVA [15]", "Fig. 2."),
    ("aadb", 2): (8, 8, "AlexNet FT Conf 0.5923", "Table 3. Performance"),
    ("aadb", 3): (28, 21, "Methods ρ ACC", "can provide information"),
    ("aadb", 4): (8, 8, "AADB 0.6382", "Table 5."),
    ("aadb", 5): (6, 6, "cross-rater 0.6346", "the model with a single"),
    ("aadb", 6): (8, 7, ">0 190", "Table 7."),
    ("aadb", 7): (4, 4, "Train AADB", "5.4 Further"),
    ("apm", 1): (30, 28, "Method\tKLDIV", "Table 1. Results"),
    ("apm", 2): (32, 15, "Method\t$CDLoss", "Table 2. Comparison"),
}


def figure(name: str, table: int, row: str, column: str) -> float:
    """One figure of a table."""
    return float(str(paper_table(name, table).loc[row, column]))


def test_counts() -> None:
    """18 tables, 219 cells, 169 figures; each cell once, and its paper and table are known."""
    found = {key: [cell for cell in cells() if (cell.paper, cell.table) == key] for key in TABLES}
    for key, (everything, figures, _, _) in TABLES.items():
        assert len(found[key]) == everything, key
        assert sum(cell.value is not None for cell in found[key]) == figures, key
    assert len(cells()) == sum(map(len, found.values())) == 219
    assert sum(cell.value is not None for cell in cells()) == 169
    assert len({(cell.paper, cell.table, cell.row, cell.column) for cell in cells()}) == 219
    assert {(one.name, table.number) for one in papers() for table in one.tables} == set(TABLES)
    assert all(re.fullmatch(r"section \d(\.\d)?", cell.where) for cell in cells())


@pytest.mark.parametrize(("name", "table"), TABLES)
def test_the_papers_own_texts_have_these_figures(shared: Path, name: str, table: int) -> None:
    """The figures in the part of the text that is the table are the cells', as often as they stand there."""
    _, _, begin, end = TABLES[name, table]
    file = next((shared / "papers").glob(f"{paper(name).number}-*.txt"))
    text = file.read_text(encoding="utf-8")
    part = text[text.index(begin) : text.index(end, text.index(begin))]
    printed = [cell.as_printed for cell in cells_of(name, table)]
    if name == "aadb" and table == 1:
        assert Counter(re.findall(r"\b[YN]\b", part)) == Counter(printed)
        return
    if name == "like_image" and table == 1:
        printed = [*dict.fromkeys(printed[12:]), *printed[:12]]  # a size is two cells
        for word in set(printed):
            assert part.splitlines().count(word) == printed.count(word), word
        return
    pattern = {6: r"\b(?:\d\.\d{4}|(?<=[>\d] )\d+\b(?! ρ))"}.get(table, "") if name == "aadb" else ""
    pattern = pattern or {"like_image": r"(?<!> )\b\d+\.\d+(?: %)?", "action_shots": r"\d\.\d+"}.get(
        name, r"\d+\.\d+"
    )
    expected = Counter(re.findall(pattern, part))
    assert expected == Counter(text for text in printed if re.search(r"\d", text))


def test_values_are_what_is_printed() -> None:
    """A value is the printed text read as a number, K and M being thousands and millions; words have none."""
    for cell in cells():
        text = cell.as_printed.removesuffix(" %")
        if "×" in text:
            assert cell.value in [float(part) for part in text.split("×")]
        elif re.fullmatch(r"[\d.]+[KM]?", text):
            scale = {"K": 1e3, "M": 1e6}.get(text[-1], 1)
            assert cell.value == pytest.approx(float(text.rstrip("KM")) * scale)
        else:
            assert cell.value is None and text in ("–", "-", "Y", "N", "normal", "uniform")


def test_a_few_figures() -> None:
    """One or two of each paper, written down anew."""
    assert figure("action_shots", 2, "Hybrid", "testing L_r") == 1.409
    assert figure("like_image", 1, "mean ratings", "Ours") == 6868
    assert figure("like_image", 3, "ours", "accuracy") == 75.83
    assert figure("3", 3, "SA-CA", "accuracy") == 72.66
    assert figure("aadb", 6, "> 200", "workers") == 42
    assert figure("aadb", 7, "train AVA", "test AADB") == 0.3191
    assert figure("apm", 1, "ResNet-AVA-dist-m", "CDLoss") == 0.0607
    assert np.isnan(figure("apm", 1, "VGG-ImN-mean", "KLDIV"))


def test_what_the_papers_say_of_their_own_figures() -> None:
    """Improvements that the texts name follow from the tables; so do figures that stand in two of them."""
    best, before = (
        figure("series_photos", 1, "Ours", "accuracy"),
        figure("series_photos", 1, "[8]", "accuracy"),
    )
    assert round(100 * (best / before - 1), 2) == 4.73
    gain = figure("aadb", 3, "Reg+Rank+Att+Cont", "ACC") - figure("aadb", 3, "SPP [31]", "ACC")
    assert round(gain, 2) == 4.48
    apm = figure("apm", 2, "APM", "rho")
    assert round(100 * (apm / figure("apm", 2, "Kong et al. [21]", "rho") - 1)) == 27
    assert round(figure("apm", 2, "APM", "Acc.") - figure("apm", 2, "Zhou et al. [46]", "Acc."), 1) == 2.1
    for column in ("CDLoss", "MSE", "rho", "Acc."):
        assert figure("apm", 1, "ResNet-AVA-dist-m", column) == figure("apm", 2, "APM", column)
        assert figure("apm", 1, "VGG-ImN-dist", column) == figure("apm", 2, "VGG-ImN-dist", column)
    assert len({figure("series_photos", table, "Ours", "accuracy") for table in (1, 2, 3, 4)}) == 1
    assert figure("aadb", 4, "AADB", "w_r = 1") == figure("aadb", 2, "Reg + Rank (within- & cross-)", "rho")
    assert figure("aadb", 4, "AVA", "w_r = 0.1") == figure("aadb", 3, "Reg + Rank", "rho")
    assert figure("aadb", 7, "train AADB", "test AADB") == figure("aadb", 2, "Reg+Rank+Att+Cont", "rho")
    quoted = paper_table("like_image", 3)["accuracy"]
    for theirs, own in (("Reg [21]", "Reg"), ("Reg-Rank [21]", "Reg + Rank"), ("DMA [31]", "DMA [2]")):
        assert quoted[theirs] == figure("aadb", 3, own, "ACC")


def test_rows_of_the_confusion_sum_to_one_but_for_the_first() -> None:
    """Table 1 of paper 1."""
    sums = paper_table("action_shots", 1).sum(axis=1).round(2)
    assert sums.to_dict() == {"Better": 1.01, "Equal": 1.0, "Worse": 1.0}


def shares(percent: float, pairs: int) -> bool:
    """Whether some number of so many pairs is this percentage, to two decimals."""
    return any(round(100 * k / pairs, 2) == percent for k in range(pairs + 1))


def test_accuracies_of_paper_3_are_not_of_its_test_set() -> None:
    """Of eleven different accuracies ten are shares of 289 pairs, and of no other number below twice that; three are
    shares of 2,585."""
    found = {cell.value for cell in cells() if cell.paper == "series_photos" and cell.value}
    assert len(found) == 11
    of = {n: sum(shares(value, n) for value in found) for n in (*range(2, 578), 2585)}
    assert of.pop(2585) == 3
    assert [n for n, count in of.items() if count >= 10] == [289] and of[289] == 10
    assert max(count for n, count in of.items() if n != 289) <= 6


def test_variances_of_paper_2_are_those_of_single_votes_but_for_the_first() -> None:
    """Table 2: m (1 - m), to a hundredth."""
    table = paper_table("like_image", 2)
    mean, variance = (np.asarray(table.loc[name], dtype=np.float64) for name in ("mean", "var"))
    off = np.abs(mean * (1 - mean) - variance) > 0.0101
    assert off.tolist() == [True, False, False, False, False, False]


@pytest.mark.parametrize(
    ("name", "table", "row", "column", "says"),
    [
        ("action_shots", 1, "Better", "Better", "1.01"),
        ("like_image", 2, "var", "> 0.1", "misprint"),
        ("like_image", 3, "Alexnet-FTune [31]", "accuracy", "71.52"),
        ("series_photos", 3, "NA", "accuracy", "75.09"),
        ("series_photos", 4, "Avg. Pooling", "accuracy", "pasted"),
        ("series_photos", 4, "Max. Pooling", "accuracy", "pasted"),
        ("aadb", 2, "Reg", "rho", "0.6382"),
        ("aadb", 2, "Reg + Rank (cross-rater)", "rho", "0.6346"),
        ("aadb", 4, "AADB", "w_r = 0.0", "0.6239"),
        ("aadb", 5, "cross-rater", "2 million", "0.6308"),
        ("aadb", 6, "> 0", "rho", "himself"),
        ("aadb", 7, "train AVA", "test AVA", "0.5581"),
        ("apm", 1, "ResNet-AVA-dist", "KLDIV", "direction"),
        ("apm", 2, "Kong et al. [21]", "Acc.", "77.33"),
        ("apm", 2, "Wu et al. [44]†", "CDLoss", "other photographs"),
    ],
)
def test_doubtful_figures_say_so(name: str, table: int, row: str, column: str, says: str) -> None:
    """Where one figure contradicts another, or its meaning is open, a note is beside it."""
    assert says in str(paper_table(name, table, show="note").loc[row, column])


def test_numbers_with_a_name_are_those_of_the_tables() -> None:
    """A named number that stands in a table has the cell's value, unit and note."""
    found = number("aadb.rater_rho_200")
    assert (found.value, found.source) == (0.7112, "paper 4, Table 6")
    assert "himself" in found.note
    assert number("like_image.forced_choice_variance_0_1").note.endswith("misprint")
    assert number("action_shots.hybrid_train_lg").unit == "nats"


def test_the_page_s_snippets_give_what_they_say() -> None:
    """docs/paper-tables.md."""
    page = Path(__file__).parents[2] / "docs" / "paper-tables.md"
    blocks = re.findall(r"```python\n(>>> .*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    parsed = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, str(page), 0)
    told: list[str] = []
    assert doctest.DocTestRunner(verbose=False).run(parsed, out=told.append).failed == 0, "".join(told)
    assert len(parsed.examples) == 4


def test_the_command_prints_tables() -> None:
    """One table, all of a paper, JSON with every cell; an unknown paper or table is one sentence."""
    run = CliRunner().invoke(group, ["datasets", "paper", "aadb", "7"])
    assert run.exit_code == 0
    assert "train AVA     0.3191   0.5154" in run.output and "0.5581" in run.output
    everything = CliRunner().invoke(group, ["datasets", "paper", "5"]).output
    assert "Table 1." in everything and "Table 2." in everything and "Murray, Gordo (2017)" in everything
    assert "- MSE: of the mean scores" in everything
    rows = json.loads(CliRunner().invoke(group, ["datasets", "paper", "apm", "2", "--json"]).output)
    assert len(rows) == 32 and rows[0]["as_printed"] == "0.1061"
    with pytest.raises(InputError, match="has no table 9; it has 1, 2"):
        paper_table("apm", 9)
    with pytest.raises(InputError, match="Did you mean apm"):
        paper_table("amp", 1)
