"""The catalogue of a release in DCAT-AP 3, as JSON-LD.

Source: DCAT-AP 3.0 (SEMIC), DCAT 3 (W3C); frequencies, file types and access rights are those of the EU vocabularies. Without a
base address every address is relative to the catalogue, so that the folder may be put anywhere.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from dx_pipeline.contract.indicator import TwoLanguages
from dx_pipeline.contract.open_data import OpenDataset, Publisher

_AUTHORITY = "http://publications.europa.eu/resource/authority"
_FILE_TYPES = {"text/csv": "CSV", "application/vnd.apache.parquet": "PARQUET"}
CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "spdx": "http://spdx.org/rdf/terms#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


@dataclass(frozen=True)
class Distribution:
    """One file of a dataset."""

    file: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Published:
    """A dataset of the release; ``period`` are the first and last period in it (a day or a year)."""

    dataset: OpenDataset
    distributions: tuple[Distribution, ...]
    period: tuple[Any, Any] | None
    refreshed_at: datetime | None


def catalogue(
    publisher: Publisher, published: Sequence[Published], now: datetime, base_url: str = ""
) -> dict[str, Any]:
    """The JSON-LD document."""
    base = f"{base_url.rstrip('/')}/" if base_url else ""
    agent: dict[str, Any] = {"@id": f"{base}#publisher", "@type": "foaf:Agent", "foaf:name": _texts(publisher.name)}
    if publisher.homepage:
        agent["foaf:homepage"] = {"@id": publisher.homepage}
    return {
        "@context": CONTEXT,
        "@id": f"{base}catalog.jsonld",
        "@type": "dcat:Catalog",
        "dct:title": _texts(publisher.catalogue),
        "dct:description": _texts(publisher.description),
        "dct:publisher": agent,
        "dct:license": {"@id": publisher.licence},
        "dct:language": [{"@id": f"{_AUTHORITY}/language/VIE"}, {"@id": f"{_AUTHORITY}/language/ENG"}],
        "dct:spatial": _place(publisher, base),
        "dct:issued": _moment(now),
        "dct:modified": _moment(now),
        "dcat:themeTaxonomy": {"@id": f"{_AUTHORITY}/data-theme"},
        "dcat:dataset": [_dataset(one, publisher, now, base) for one in published],
    }


def _dataset(one: Published, publisher: Publisher, now: datetime, base: str) -> dict[str, Any]:
    told = one.dataset
    document: dict[str, Any] = {
        "@id": f"{base}#{told.mart}",
        "@type": "dcat:Dataset",
        "dct:identifier": told.mart,
        "dct:title": _texts(told.title),
        "dct:description": _texts(told.description),
        "dct:publisher": {"@id": f"{base}#publisher"},
        "dct:accessRights": {"@id": f"{_AUTHORITY}/access-right/PUBLIC"},
        "dct:accrualPeriodicity": {"@id": f"{_AUTHORITY}/frequency/{told.frequency}"},
        "dct:spatial": {"@id": f"{base}#place-{publisher.spatial.code}"},
        "dcat:theme": {"@id": told.theme},
        "dcat:keyword": [
            {"@language": language, "@value": word} for language, words in told.keywords.items() for word in words
        ],
        "dct:modified": _moment(one.refreshed_at or now),
        "foaf:page": {"@id": f"{base}{told.mart}.dictionary.json", "@type": "foaf:Document"},
        "dcat:distribution": [_distribution(file, one, publisher, base) for file in one.distributions],
    }
    if publisher.contact:
        document["dcat:contactPoint"] = {
            "@type": "vcard:Organization",
            "vcard:fn": publisher.name.vi,
            "vcard:hasEmail" if publisher.contact.startswith("mailto:") else "vcard:hasURL": {"@id": publisher.contact},
        }
    if one.period is not None:
        document["dct:temporal"] = {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": _day(one.period[0], told.frequency, last=False),
            "dcat:endDate": _day(one.period[1], told.frequency, last=True),
        }
    return document


def _distribution(file: Distribution, one: Published, publisher: Publisher, base: str) -> dict[str, Any]:
    return {
        "@id": f"{base}#{file.file}",
        "@type": "dcat:Distribution",
        "dct:title": file.file,
        "dcat:accessURL": {"@id": f"{base}{file.file}"},
        "dcat:downloadURL": {"@id": f"{base}{file.file}"},
        "dcat:mediaType": {"@id": f"https://www.iana.org/assignments/media-types/{file.media_type}"},
        "dct:format": {"@id": f"{_AUTHORITY}/file-type/{_FILE_TYPES[file.media_type]}"},
        "dcat:byteSize": {"@type": "xsd:nonNegativeInteger", "@value": str(file.size)},
        "dct:license": {"@id": publisher.licence},
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"},
            "spdx:checksumValue": {"@type": "xsd:hexBinary", "@value": file.sha256},
        },
    }


def _place(publisher: Publisher, base: str) -> dict[str, Any]:
    place = publisher.spatial
    return {
        "@id": f"{base}#place-{place.code}",
        "@type": "dct:Location",
        "dct:identifier": place.code,
        "skos:prefLabel": _texts(place.name),
    }


def _texts(text: TwoLanguages) -> list[dict[str, str]]:
    return [{"@language": "vi", "@value": text.vi}, {"@language": "en", "@value": text.en}]


def _moment(value: datetime) -> dict[str, str]:
    return {"@type": "xsd:dateTime", "@value": value.isoformat(timespec="seconds")}


def _day(period: Any, frequency: str, *, last: bool) -> dict[str, str]:
    """First or last day of a period: of the year, of the month, or the day itself."""
    if isinstance(period, int):
        day = date(period, 12, 31) if last else date(period, 1, 1)
    elif last and frequency == "MONTHLY":
        day = period.replace(day=calendar.monthrange(period.year, period.month)[1])
    else:
        day = period
    return {"@type": "xsd:date", "@value": day.isoformat()}
