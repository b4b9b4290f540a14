"""Real answers of real people, in the columns of our tables: see ../shared/data/*/SOURCE.txt for whose they are."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def oasis(shared: Path) -> pd.DataFrame:
    """OASIS beauty: 170,325 ratings from 1 to 7 by 757 people; each saw one of four sets of 225 of 900 photographs."""
    data = pd.read_csv(shared / "data/oasis_beauty/ratings_long.csv.gz")
    ids = {"image_id": data["item"].map("i{:03d}".format), "rater_id": data["subjID"].map("r{:03d}".format)}
    return pd.DataFrame({**ids, "value": data["beauty"].astype(float)})


@pytest.fixture(scope="session")
def oasis_sets(oasis: pd.DataFrame) -> list[pd.DataFrame]:
    """The four sets as images x raters without a gap, the largest (368 raters) first."""
    table = oasis.pivot(index="image_id", columns="rater_id", values="value")
    rated = table.notna().to_numpy()
    kinds = pd.factorize(pd.Series([rated[:, rater].tobytes() for rater in range(rated.shape[1])]))[0]
    sets = [table.loc[:, kinds == kind].dropna(how="all") for kind in np.unique(kinds)]
    return sorted(sets, key=lambda one: -one.shape[1])


@pytest.fixture(scope="session")
def pwcmp(shared: Path) -> pd.DataFrame:
    """Light fields in pairs: 26,580 comparisons by 29 observers of 25 conditions in each of 14 scenes."""
    data = pd.read_csv(shared / "data/pwcmp/lf_quality_pwcmps.csv.gz")
    first, second = (
        data["scene"] + " " + data[f"dist_type{side}"] + " " + data[f"dist_level{side}"].astype(str)
        for side in (1, 2)
    )
    value = np.where(data["selected"] == 1, 1.0, -1.0)
    found = pd.DataFrame({"first_id": first, "second_id": second, "value": value, "scene": data["scene"]})
    return found.assign(rater_id=data["observer"], first_shown_left=True)


@pytest.fixture(scope="session")
def street_views(shared: Path) -> pd.DataFrame:
    """Which street is more beautiful: 8,085 answers of Mechanical Turk workers on a slider, cut into five levels."""
    data = pd.read_csv(shared / "data/perceptions_mturk/mechTurkRecords.csv.gz")
    level = np.searchsorted([20, 40, 60, 80], data["abs_cont_outcome_beauty"], side="left") - 2.0
    found = pd.DataFrame(
        {"first_id": data["l_img_beauty"], "second_id": data["r_img_beauty"], "value": level}
    )
    return found.assign(first_shown_left=True, milliseconds=1000 * data["mt_elapsed"])
