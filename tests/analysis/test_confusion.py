"""Global against pairwise ratings."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.contingency_tables import SquareTable
from statsmodels.stats.inter_rater import cohens_kappa

from photojury.analysis.confusion import OUTCOMES, confusion, sweep
from photojury.errors import InputError


def ratings_of(values: dict[str, list[int]]) -> pd.DataFrame:
    rows = [(image, float(value)) for image, given_ in values.items() for value in given_]
    return pd.DataFrame(rows, columns=["image_id", "value"])


def pairs_of(values: dict[tuple[str, str], list[int]]) -> pd.DataFrame:
    rows = [(*pair, float(value)) for pair, given_ in values.items() for value in given_]
    return pd.DataFrame(rows, columns=["first_id", "second_id", "value"])


def outcome(difference: Fraction, threshold: Fraction) -> str:
    return "equal" if abs(difference) <= threshold else "better" if difference > 0 else "worse"


def test_thresholds_are_inclusive_where_floats_err() -> None:
    """Means 1.3 and 1.0 of ten ratings differ by 0.3, which counts as equal; in floats 1.3 - 1.0 > 0.3."""
    ratings = ratings_of({"a": [1] * 7 + [2] * 3, "b": [1] * 10})
    comparisons = pairs_of({("a", "b"): [1, 0, 0, 0, 0]})
    assert 1.3 - 1.0 > 0.3
    found = confusion(ratings, comparisons, c_g="0.3", c_p="0.2")
    assert found.counts.loc["equal", "equal"] == 1
    assert confusion(ratings, comparisons, c_g="0.299", c_p="0.199").counts.loc["better", "better"] == 1


answers = st.lists(st.integers(1, 3), min_size=1, max_size=10)
levels = st.lists(st.integers(-2, 2), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcdef"), answers, min_size=2),
    st.dictionaries(
        st.sampled_from([("a", "b"), ("b", "c"), ("c", "d"), ("e", "f"), ("a", "f")]), levels, min_size=1
    ),
    st.sampled_from(["0", "0.1", "0.3", "0.35"]),
    st.sampled_from(["0", "0.2", "0.4"]),
)
def test_every_cell_equals_a_count_in_fractions(
    images: dict[str, list[int]], pairs: dict[tuple[str, str], list[int]], c_g: str, c_p: str
) -> None:
    """The table equals one that is counted pair by pair in Python's fractions."""
    rated = {pair: given_ for pair, given_ in pairs.items() if pair[0] in images and pair[1] in images}
    if not rated:
        with pytest.raises(InputError, match="no compared pair"):
            confusion(ratings_of(images), pairs_of(pairs), c_g=c_g, c_p=c_p)
        return
    expected = np.zeros((3, 3), dtype=int)
    for (first, second), given_ in rated.items():
        means = [Fraction(sum(images[image]), len(images[image])) for image in (first, second)]
        row = outcome(Fraction(sum(given_), len(given_)), Fraction(c_p))
        column = outcome(means[0] - means[1], Fraction(c_g))
        expected[OUTCOMES.index(row), OUTCOMES.index(column)] += 1
    found = confusion(ratings_of(images), pairs_of(pairs), c_g=c_g, c_p=c_p)
    assert found.counts.to_numpy().tolist() == expected.tolist()
    assert found.without_ratings == len(pairs) - len(rated)


def drawn(seed: int, pairs: int = 300) -> tuple[pd.DataFrame, pd.DataFrame]:
    generator = np.random.default_rng(seed)
    ratings = ratings_of({str(i): generator.integers(1, 4, 10).tolist() for i in range(60)})
    chosen = {(str(i), str(j)) for i, j in generator.integers(0, 60, (pairs, 2)) if i < j}
    return ratings, pairs_of({pair: generator.integers(-2, 3, 5).tolist() for pair in sorted(chosen)})


def test_statistics_equal_those_of_other_packages() -> None:
    """Kappas equal scikit-learn's, Bowker's test equals statsmodels'; shares sum to one."""
    found = confusion(*drawn(1))
    table = found.counts.to_numpy()
    said = (
        np.repeat(np.repeat(np.arange(3), 3), table.ravel()),
        np.repeat(np.tile(np.arange(3), 3), table.ravel()),
    )
    assert found.kappa == pytest.approx(cohen_kappa_score(*said))
    assert found.weighted_kappa == pytest.approx(cohen_kappa_score(*said, weights="linear"))
    bowker = SquareTable(table, shift_zeros=False).symmetry()
    assert (found.bowker, found.bowker_p) == pytest.approx((bowker.statistic, bowker.pvalue))
    assert found.row_shares().sum(axis=1).tolist() == pytest.approx([1, 1, 1])
    assert found.column_shares().sum(axis=0).tolist() == pytest.approx([1, 1, 1])
    assert found.agreement == pytest.approx(np.trace(table) / table.sum())
    assert found.opposite == pytest.approx((table[0, 2] + table[2, 0]) / table.sum())


def test_intervals_of_pairs_without_shared_images() -> None:
    """There the shares' intervals are about Wilson's, kappa's about statsmodels', but for Student's t and n - 1."""
    generator = np.random.default_rng(7)
    ratings = ratings_of({str(i): generator.integers(1, 4, 10).tolist() for i in range(800)})
    pairs = {(str(2 * i), str(2 * i + 1)): generator.integers(-2, 3, 5).tolist() for i in range(400)}
    found = confusion(ratings, pairs_of(pairs))
    table = found.counts.to_numpy()
    opposite = int(table[0, 2] + table[2, 0])
    ends = stats.binomtest(opposite, 400).proportion_ci(method="wilson")
    assert (found.opposite_low, found.opposite_high) == pytest.approx((ends.low, ends.high), abs=5e-4)
    reach = stats.t.ppf(0.975, 399) * np.sqrt(400 / 399)
    for value, low, high, weights in (
        (found.kappa, found.kappa_low, found.kappa_high, None),
        (found.weighted_kappa, found.weighted_kappa_low, found.weighted_kappa_high, "linear"),
    ):
        error = cohens_kappa(table, wt=weights).std_kappa
        assert (low, high) == pytest.approx((value - reach * error, value + reach * error))


def test_kappa_of_full_agreement_has_no_interval() -> None:
    """Where both ratings agree on everything the formula has no width, and the ends are NaN."""
    same = confusion(
        ratings_of({"a": [1], "b": [2], "c": [3]}),
        pairs_of({("a", "b"): [-1], ("c", "b"): [1]}),
        c_g=0,
        c_p=0,
    )
    assert same.kappa == 1 and np.isnan([same.kappa_low, same.weighted_kappa_high]).all()
    assert 0 < same.agreement_low < 1 == same.agreement_high


def test_turning_every_pair_round_mirrors_the_table() -> None:
    """With first and second exchanged the table is its mirror image, and the symmetrised one stays as it was."""
    ratings, comparisons = drawn(2)
    turned = comparisons.rename(columns={"first_id": "second_id", "second_id": "first_id"})
    turned["value"] = -turned["value"]
    found, other = confusion(ratings, comparisons), confusion(ratings, turned)
    assert other.counts.to_numpy().tolist() == found.counts.to_numpy()[::-1, ::-1].tolist()
    assert other.symmetrised().equals(found.symmetrised())
    assert found.mirror_p == pytest.approx(other.mirror_p)


def test_rows_can_be_either_rating() -> None:
    """rows="global" gives the transposed table; another word is refused."""
    ratings, comparisons = drawn(3)
    by_pairs, by_stars = confusion(ratings, comparisons), confusion(ratings, comparisons, rows="global")
    assert by_stars.counts.to_numpy().tolist() == by_pairs.counts.to_numpy().T.tolist()
    with pytest.raises(InputError, match="pairwise or global"):
        confusion(ratings, comparisons, rows="columns")  # type: ignore[arg-type]


def test_the_sign_of_section_3_3_can_be_had() -> None:
    """positive_means="second" is the table of answers with their sign turned; another word is refused."""
    ratings, comparisons = drawn(6)
    literal = confusion(ratings, comparisons, positive_means="second")
    turned = confusion(ratings, comparisons.assign(value=-comparisons["value"]))
    assert literal.counts.equals(turned.counts)
    assert literal.agreement != confusion(ratings, comparisons).agreement
    with pytest.raises(InputError, match="positive_means must be first or second"):
        confusion(ratings, comparisons, positive_means="third")  # type: ignore[arg-type]


def test_the_sweep_holds_the_single_tables() -> None:
    """Each row of the sweep is the agreement of a table at those thresholds."""
    ratings, comparisons = drawn(4, pairs=80)
    for row in sweep(ratings, comparisons, c_g=("0", "0.3"), c_p=("0.2",)).to_dict("records"):
        single = confusion(ratings, comparisons, c_g=row["c_g"], c_p=row["c_p"])
        assert (row["agreement"], row["opposite"]) == pytest.approx((single.agreement, single.opposite))


def test_a_threshold_must_be_a_decimal() -> None:
    """Words and negative numbers are refused by name."""
    for wrong in ("close", "-0.1"):
        with pytest.raises(InputError, match="c_g must be"):
            confusion(*drawn(5, pairs=20), c_g=wrong)
