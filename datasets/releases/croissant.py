"""Croissant: what a release says of itself to programs, as JSON-LD (MLCommons, Croissant 1.1, 2026; RAI 1.0, 2024).

Takes in `About`, the tables and the files with their sums; gives out the object of croissant.json, written here by hand:
mlcroissant, which reads it, brings 27 packages and is needed in tests only.

    croissant(about, contents, sums)["recordSet"][0]["@id"]
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from photojury.datasets.licenses import LICENSES
from photojury.datasets.releases.about import About
from photojury.datasets.releases.citation import authors, bibtex
from photojury.datasets.releases.contents import Contents
from photojury.datasets.releases.layout import TABLES, keys, kind, meaning

CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")

# The context that appendix 1 of the specification recommends.
_CONTEXT: Mapping[str, object] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "conformsTo": "dct:conformsTo",
    "name": {"@container": "@language"},
    **{
        name: f"cr:{name}"
        for name in (
            "annotation", "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "excludes", "extract",
            "field", "fileObject", "fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath",
            "key", "md5", "parentField", "path", "readLines", "recordSet", "references", "regex", "repeated", "replace",
            "samplingRate", "sdVersion", "separator", "source", "subField", "transform", "unArchive", "value",
        )
    },
}  # fmt: skip
_MEDIA_TYPES = {
    "parquet": "application/x-parquet", "csv": "text/csv", "tar": "application/x-tar", "json": "application/json",
    "jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif", "bmp": "image/bmp",
}  # fmt: skip
_PICTURES = ("jpg", "png", "webp", "gif", "bmp")
# Columns that name a picture. Other columns name rows of other tables, too (`layout.meaning` says so), but where record
# sets refer to record sets that refer on, mlcroissant 1.1.1 gives out the rows of some of them in part only.
_PICTURE = ("image_id", "first_id", "second_id")


def croissant(about: About, contents: Contents, sums: Mapping[str, str]) -> dict[str, object]:
    """The object of croissant.json.

    Args:
        sums: the sha256 of each file by its path, of all files but croissant.json and SHA256SUMS.
    """
    suffix = "csv" if about.form == "csv" else "parquet"
    found: dict[str, object] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": about.name,
        "description": about.description,
        "version": about.version,
        "datePublished": about.published,
        "license": _licences(about, contents),
        "creator": [
            {"@type": "sc:Person" if about.creators else "sc:Organization", "name": name}
            for name in authors(about)
        ],
        "citeAs": bibtex(about),
        "isLiveDataset": False,
        "keywords": ["photographs", "ratings", "image aesthetics", "crowdsourcing"],
        **({"url": about.url} if about.url else {}),
        **_responsible(about, made_up=contents.simulated() > 0),
        "distribution": [*_objects(sums), *_sets(about, sums)],
        "recordSet": [
            *(_record_set(name, f"tables/{name}.{suffix}") for name in contents.tables),
            *_pictures(about, sums),
        ],
    }
    return found


def _responsible(about: About, *, made_up: bool) -> dict[str, object]:
    """The fields of the RAI vocabulary."""
    fields: dict[str, object] = {
        "dataCollection": about.collection,
        "dataCollectionType": list(about.collected),
        "dataCollectionTimeFrame": list(about.days),
        "dataAnnotationProtocol": list(about.protocol),
        "dataAnnotationPlatform": list(about.platforms),
        "annotationsPerItem": about.per_item,
        "annotatorDemographics": list(about.raters),
        "machineAnnotationTools": ["photojury's simulated raters: rows marked `simulated`"]
        if made_up
        else [],
        "dataAnnotationAnalysis": list(about.analysis),
        "dataBiases": list(about.limits),
        "personalSensitiveInformation": list(about.privacy),
        "dataReleaseMaintenancePlan": about.maintenance,
    }
    return {f"rai:{name}": value for name, value in fields.items() if value}


def _licences(about: About, contents: Contents) -> list[str]:
    """The licences of the answers and of the pictures, by URL; in words where there is none."""
    ours = [about.license.url or about.license.name] if about.license else []
    named = contents.tables["images"]["license_id"].dropna().unique()
    theirs = sorted({LICENSES[name].url or LICENSES[name].name for name in named if name in LICENSES})
    return list(dict.fromkeys([*ours, *theirs])) or ["no licence is granted; see LICENSE"]


def _objects(sums: Mapping[str, str]) -> list[dict[str, object]]:
    """Each file that is not one of many pictures."""
    return [
        {
            "@type": "cr:FileObject",
            "@id": path,
            "name": path.rsplit("/", 1)[-1],
            "contentUrl": path,
            "encodingFormat": _MEDIA_TYPES[suffix],
            "sha256": digest,
        }
        for path, digest in sums.items()
        if (suffix := path.rsplit(".", 1)[-1]) in _MEDIA_TYPES and suffix not in _PICTURES
    ]


def _sets(about: About, sums: Mapping[str, str]) -> list[dict[str, object]]:
    """The pictures as a set of files: in folders, inside tars, or inside Parquet files."""
    data = [path for path in sums if path.startswith("data/")]
    if not data:
        return []
    found: dict[str, object] = {"@type": "cr:FileSet", "@id": "picture-files", "name": "picture-files"}
    if about.form == "parquet":
        return [{**found, "encodingFormat": _MEDIA_TYPES["parquet"], "includes": "data/*.parquet"}]
    tars = [path for path in data if path.endswith(".tar")]
    kinds = _PICTURES if tars else sorted({path.rsplit(".", 1)[-1] for path in data} & set(_PICTURES))
    found["encodingFormat"] = [_MEDIA_TYPES[suffix] for suffix in kinds]
    found["includes"] = [f"{'' if tars else 'data/'}*.{suffix}" for suffix in kinds]
    if tars:
        found["containedIn"] = [{"@id": path} for path in tars]
    return [found]


def _record_set(name: str, path: str) -> dict[str, object]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "key": [{"@id": f"{name}/{column}"} for column in keys(name)],
        "field": [_field(name, column, path) for column in TABLES[name]],
    }


def _field(name: str, column: str, path: str) -> dict[str, object]:
    found: dict[str, object] = {
        "@type": "cr:Field",
        "@id": f"{name}/{column}",
        "name": column,
        "dataType": _data_type(kind(name, column)),
        "source": {"fileObject": {"@id": path}, "extract": {"column": column}},
    }
    if words := meaning(name, column):
        found["description"] = words
    if column in _PICTURE and name != "images":
        found["references"] = {"field": {"@id": "images/image_id"}}
    return found


def _data_type(own: "sa.types.TypeEngine[Any]") -> str:
    if isinstance(own, sa.Boolean):
        return "sc:Boolean"
    if isinstance(own, sa.Integer):
        return "cr:Int64"
    return "cr:Float64" if isinstance(own, sa.Float) else "sc:Text"


def _pictures(about: About, sums: Mapping[str, str]) -> list[dict[str, object]]:
    """The pictures themselves, with the id that the tables know them by."""
    if not any(path.startswith("data/") for path in sums):
        return []
    source = {"fileSet": {"@id": "picture-files"}}
    if about.form == "parquet":
        number = {**source, "extract": {"column": "image_id"}}
        content = {**source, "extract": {"column": "image"}, "transform": {"jsonPath": "bytes"}}
    else:
        number = {
            **source,
            "extract": {"fileProperty": "filename"},
            "transform": {"regex": r"^([0-9a-f]{64})\..+$"},
        }
        content = {**source, "extract": {"fileProperty": "content"}}
    return [
        {
            "@type": "cr:RecordSet",
            "@id": "pictures",
            "name": "pictures",
            "key": [{"@id": "pictures/image_id"}],
            "field": [
                {
                    "@type": "cr:Field",
                    "@id": "pictures/image_id",
                    "name": "image_id",
                    "description": meaning("images", "image_id"),
                    "dataType": "sc:Text",
                    "source": number,
                },
                {
                    "@type": "cr:Field",
                    "@id": "pictures/image",
                    "name": "image",
                    "description": "the picture",
                    "dataType": "sc:ImageObject",
                    "source": content,
                },
            ],
        }
    ]
