"""Licences: one name for every spelling, and what each allows."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photojury.datasets.licenses import GROUPS, LICENSES, from_url, group, licence_name

# What creativecommons.org/share-your-work/cclicenses says of each kind: copies, derivatives, commercial, share-alike.
TERMS = {
    "by": (True, True, True, False),
    "by-sa": (True, True, True, True),
    "by-nd": (True, False, True, False),
    "by-nc": (True, True, False, False),
    "by-nc-sa": (True, True, False, True),
    "by-nc-nd": (True, False, False, False),
}

# The facts page's table of Flickr's licences, by their number in the recorded answer.
FLICKR = {
    "0": "all-rights-reserved", "1": "cc-by-nc-sa-2.0", "2": "cc-by-nc-2.0", "3": "cc-by-nc-nd-2.0",
    "4": "cc-by-2.0", "5": "cc-by-sa-2.0", "6": "cc-by-nd-2.0", "7": "no-known-copyright", "8": "us-government",
    "9": "cc0-1.0", "10": "pdm-1.0", "11": "cc-by-4.0", "12": "cc-by-sa-4.0", "13": "cc-by-nd-4.0",
    "14": "cc-by-nc-4.0", "15": "cc-by-nc-sa-4.0", "16": "cc-by-nc-nd-4.0",
}  # fmt: skip

SPELLINGS = {
    # this table's and Creative Commons' own
    "cc-by-sa-4.0": "cc-by-sa-4.0",
    "CC BY-SA 4.0": "cc-by-sa-4.0",
    "CC-BY-NC-ND-2.0": "cc-by-nc-nd-2.0",
    "Attribution-ShareAlike 2.0 Generic (CC BY-SA 2.0)": "cc-by-sa-2.0",
    "Creative Commons Attribution-NonCommercial-NoDerivatives 4.0 International Public License": "cc-by-nc-nd-4.0",
    "CC BY-ND-NC 1.0": "cc-by-nc-nd-1.0",
    "CC BY 4": "cc-by-4.0",
    "CC0 1.0 Universal": "cc0-1.0",
    # Commons: License, LicenseShortName and UsageTerms of extmetadata
    "cc-by-sa-3.0-migrated": "cc-by-sa-3.0",
    "cc-by-sa-3.0-migrated-with-disclaimers": "cc-by-sa-3.0",
    "cc-by-sa-4.0,3.0,2.5,2.0,1.0": "cc-by-sa-4.0",
    "cc-by-3.0-us": "cc-by-3.0",
    "CC BY-SA 3.0 de": "cc-by-sa-3.0",
    "CC BY 3.0 igo": "cc-by-3.0",
    "Creative Commons Attribution-Share Alike 4.0": "cc-by-sa-4.0",
    "cc0": "cc0-1.0",
    "cc-zero": "cc0-1.0",
    "pd": "public-domain",
    "Public domain": "public-domain",
    "pd-old-70": "public-domain",
    "pd-usgov-nasa": "us-government",
    "No restrictions": "no-known-copyright",
    # others
    "All Rights Reserved": "all-rights-reserved",
    "©": "all-rights-reserved",
    "pdm": "pdm-1.0",
}

URLS = {
    "http://creativecommons.org/licenses/by-nc/2.0/uk/": "cc-by-nc-2.0",
    "https://creativecommons.org/licenses/by-sa/3.0/deed.de": "cc-by-sa-3.0",
    "https://creativecommons.org/licenses/by-sa/4.0": "cc-by-sa-4.0",
    "//www.creativecommons.org/licenses/by/4.0/legalcode": "cc-by-4.0",
    "creativecommons.org/licenses/by/2.5/?ref=x": "cc-by-2.5",
    "https://creativecommons.org/licenses/by-nd-nc/1.0/": "cc-by-nc-nd-1.0",
    "https://creativecommons.org/licenses/nc-sa/1.0/": "cc-nc-sa-1.0",
    "HTTPS://CreativeCommons.org/PublicDomain/Zero/1.0/": "cc0-1.0",
    "https://creativecommons.org/publicdomain/mark/1.0/deed.en": "pdm-1.0",
    "http://creativecommons.org/licenses/publicdomain/": "public-domain",
    "http://www.usa.gov/copyright.shtml": "us-government",
    "https://www.flickr.com/commons/usage": "no-known-copyright",
    "http://rightsstatements.org/vocab/InC/1.0/": "all-rights-reserved",
    "https://rightsstatements.org/page/NKC/1.0/?language=en": "no-known-copyright",
}

# What must not be taken for a licence: half of one, one of two, another's site, a version that there is not.
UNKNOWN = [
    "", None, "CC BY", "Attribution License", "by", "4.0", "GFDL", "fal", "CC BY 2.0 or GFDL", "not CC BY 4.0",
    "CC BY 9.0", "CC-NC 4.0", "cc by 4.0; all rights reserved", "free", "sampling+ 1.0",
    "https://creativecommons.org/licenses/by/4.05/", "https://creativecommons.org/licenses/by/9.0/",
    "https://evilcreativecommons.org/licenses/by/4.0/", "https://example.org/creativecommons.org/licenses/by/4.0/",
    "https://example.org/?creativecommons.org/licenses/by/4.0/", "https://creativecommons.org/", "https://example.org/",
]  # fmt: skip


@pytest.mark.parametrize("version", ["1.0", "2.0", "2.1", "2.5", "3.0", "4.0"])
@pytest.mark.parametrize("terms", TERMS)
def test_every_creative_commons_licence_is_there(terms: str, version: str) -> None:
    """Six kinds in six versions, each with its terms and in its group."""
    license = LICENSES[f"cc-{terms}-{version}"]
    found = (license.copies, license.derivatives, license.commercial, license.share_alike)
    assert found == TERMS[terms]
    assert license.attribution
    assert group(license.license_id) == terms


def test_what_is_free_asks_for_nothing_and_what_is_reserved_allows_nothing() -> None:
    """CC0, marks and government works need no name; all-rights-reserved allows no copy; unknown is no group."""
    free = {name for name in LICENSES if group(name) == "public-domain"}
    assert free == {"cc0-1.0", "pdm-1.0", "no-known-copyright", "us-government", "public-domain"}
    assert not any(LICENSES[name].attribution for name in free)
    reserved = LICENSES["all-rights-reserved"]
    assert (reserved.copies, reserved.derivatives, reserved.commercial) == (False, False, False)
    assert {group("flickr-17"), group(None)} == {"unknown"}
    assert {group(name) for name in LICENSES} == set(GROUPS)


def test_names_and_urls_of_the_table_lead_back_to_it() -> None:
    """Every licence is found by its id, its name and its URL, in any case."""
    for name, license in LICENSES.items():
        assert licence_name(name.upper()) == licence_name(license.name) == name
        assert not license.url or from_url(license.url) == licence_name(license.url) == name


def test_flickrs_list_is_understood(shared: Path) -> None:
    """Every licence that Flickr's API lists is known by its URL; by its name, too, where that is no CC0 prose."""
    answer = json.loads((shared / "fixtures/flickr/photos_licenses_getInfo_2025.json").read_text())
    rows = answer["licenses"]["license"]
    assert {row["id"]: from_url(row["url"]) for row in rows} == FLICKR
    assert {row["id"]: licence_name(row["name"]) for row in rows} == FLICKR


def test_openverse_and_commons_are_understood(shared: Path) -> None:
    """The recorded answers' own words: Openverse's pair, Commons' three spellings and their URLs."""
    one = json.loads((shared / "fixtures/image_search/openverse_image_search.json").read_text())["results"][0]
    assert licence_name(one["license"], one["license_version"]) == from_url(one["license_url"]) == "cc0-1.0"
    pages = json.loads((shared / "fixtures/image_search/wikimedia_commons_query.json").read_text())["query"][
        "pages"
    ]
    (page,) = pages.values()
    facts = page["imageinfo"][0]["extmetadata"]
    for key in ("License", "LicenseShortName", "LicenseUrl", "UsageTerms"):
        assert licence_name(facts[key]["value"]) == "cc-by-sa-4.0", key


@pytest.mark.parametrize(("text", "name"), SPELLINGS.items())
def test_spellings(text: str, name: str) -> None:
    """Words of sources and lists, in any case and with any spaces."""
    assert licence_name(text) == licence_name(f"  {text.upper()} ") == name


@pytest.mark.parametrize(("url", "name"), URLS.items())
def test_urls(url: str, name: str) -> None:
    """URLs of every jurisdiction and language, with and without scheme, deed and last slash."""
    assert from_url(url) == licence_name(url) == name


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_is_not_clear_is_unknown(text: str | None) -> None:
    """Nothing is guessed: what could be two licences, or none, has no name."""
    assert licence_name(text) is None


@pytest.mark.parametrize(
    ("terms", "version", "name"),
    [
        ("by-nc", "2.0", "cc-by-nc-2.0"),
        ("by", "4.0", "cc-by-4.0"),
        ("cc0", "1.0", "cc0-1.0"),
        ("pdm", "1.0", "pdm-1.0"),
        ("Attribution-NonCommercial License", "2.0", "cc-by-nc-2.0"),
        ("CC BY 3.0", "4.0", "cc-by-3.0"),
        ("sampling+", "1.0", None),
        ("by", "", None),
    ],
)
def test_a_version_that_comes_apart(terms: str, version: str, name: str | None) -> None:
    """Openverse's pairs and Flickr's old names; a version in the text comes first."""
    assert licence_name(terms, version) == name


@given(st.text(alphabet=st.sampled_from("cbyndsa40.-/ :()©é\x00"), max_size=40))
def test_any_text_gives_a_known_name_or_none(text: str) -> None:
    """Whatever a source writes, nothing fails, and no name comes out that the table lacks."""
    assert licence_name(text) in {None, *LICENSES}
