"""TCVN3 and VNI text becomes Unicode; text that is Unicode already, or foreign, stays as it is."""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

import pytest
from viparse.normalize.tables import convert
from viparse.normalize.tcvn3 import TCVN3 as ORACLE_TCVN3
from viparse.normalize.vni import VNI as ORACLE_VNI

from dx_pipeline.clean.legacy_encodings import CP1258, ENCODINGS, TCVN3, VNI, eth_to_d, repair
from dx_pipeline.clean.syllable import is_place_word, is_syllable

ADMIN_UNITS = Path(__file__).parents[2] / "warehouse_sql" / "reference" / "admin_units.csv"


def unit_names() -> list[str]:
    with ADMIN_UNITS.open(encoding="utf-8") as file:
        return sorted({row["name"] for row in csv.DictReader(file)})


def encoded(text: str, table: dict[str, str]) -> str:
    """The text in a legacy encoding; TCVN3 has no capital letters with tones."""
    back = {letter: legacy for legacy, letter in reversed(table.items())}
    return "".join(back.get(c, back.get(c.lower(), c)) for c in text)


@pytest.mark.parametrize(
    ("legacy", "expected"),
    [
        (b"Qu\xb6ng Tr\xde".decode("latin-1"), "Quảng Trị"),
        (b"H\xad\xedng H\xe3a".decode("latin-1"), "Hướng Hóa"),
        ("§akr«ng", "Đakrông"),
        ("Cöa ViÖt", "Cửa Việt"),
        ("TriÖu Phong", "Triệu Phong"),
        ("H¶i L¨ng", "Hải Lăng"),
        ("L×a", "Lìa"),
        ("Thñ t−íng", "Thủ tướng"),  # PDF text layer: minus sign for the soft hyphen
        ("Céng hoµ x· héi chñ nghÜa ViÖt Nam", "Cộng hoà xã hội chủ nghĩa Việt Nam"),
        ("CéNG HOµ X· HéI", "CỘNG HOÀ XÃ HỘI"),
    ],
)
def test_tcvn3_vectors(legacy: str, expected: str) -> None:
    assert repair(legacy) == (expected, "legacy_tcvn3")


@pytest.mark.parametrize(
    ("legacy", "expected"),
    [
        ("Quaûng Trò", "Quảng Trị"),
        ("Höôùng Hoùa", "Hướng Hóa"),
        ("Ñakroâng", "Đakrông"),
        ("Cöûa Vieät", "Cửa Việt"),
        ("Haûi Laêng", "Hải Lăng"),
        ("Nguyeãn Vaên An", "Nguyễn Văn An"),
        ("COÄNG HOØA XAÕ HOÄI", "CỘNG HÒA XÃ HỘI"),
    ],
)
def test_vni_vectors(legacy: str, expected: str) -> None:
    assert repair(legacy) == (expected, "legacy_vni")


@pytest.mark.parametrize(
    ("legacy", "expected"),
    [
        ("QuaÒng Triò", "Quảng Trị"),
        ("Hýõìng Hoìa", "Hướng Hóa"),
        ("Triêòu Phong, HaÒi Lãng", "Triệu Phong, Hải Lăng"),
        ("NguyêÞn Vãn Ðýìc", "Nguyễn Văn Đức"),
    ],
)
def test_windows_1258_vectors(legacy: str, expected: str) -> None:
    """Texts of Windows-1258 that were read as Western."""
    assert repair(legacy) == (expected, "legacy_cp1258")
    decoded = legacy.encode("latin-1").decode("cp1258")
    assert unicodedata.normalize("NFC", decoded) == expected


@pytest.mark.parametrize(
    ("legacy", "encoding", "expected"),
    [
        ("Thñy", "tcvn3", "Thủy"),
        ("thñ", "tcvn3", "thủ"),
        ("V¨n phßng", "tcvn3", "Văn phòng"),
        ("Haïnh", "vni", "Hạnh"),
        ("Taìi", "cp1258", "Tái"),
    ],
)
def test_a_declared_encoding_needs_no_second_letter(legacy: str, encoding: str, expected: str) -> None:
    assert repair(legacy, encoding) == (expected, f"legacy_{encoding}")
    assert repair(expected, encoding) == (expected, None)


@pytest.mark.parametrize("text", ["leä phí", "phù thiò", "X· LÖ Ninh"])
def test_a_text_that_two_encodings_explain_is_left_alone(text: str) -> None:
    """leä phí is lệ phí in VNI and leọ phớ in TCVN3; nothing in the text itself tells which."""
    assert repair(text) == (text, None)


def test_the_declared_encoding_decides_such_a_text() -> None:
    assert repair("leä phí", "vni") == ("lệ phí", "legacy_vni")
    assert repair("phù thiò", "cp1258") == ("phù thị", "legacy_cp1258")
    assert repair("X· LÖ Ninh", "tcvn3") == ("Xã Lệ Ninh", "legacy_tcvn3")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_declared_encoding_never_touches_unicode_vietnamese(encoding: str) -> None:
    """A column that is said to be of an old font often holds Unicode rows too."""
    words = sorted({w for name in unit_names() for w in name.split()})
    assert [n for n in (*unit_names(), *words) if repair(n, encoding) != (n, None)] == []
    for text in ("José Müller", "25 µg", "Noël Zoë", "Hoà", "giò", "A · B", "§ 5"):
        assert repair(text, encoding) == (text, None)


@pytest.mark.parametrize(("encoding", "table"), [("tcvn3", TCVN3), ("vni", VNI), ("cp1258", CP1258)])
def test_a_declared_encoding_repairs_more_and_nothing_wrongly(encoding: str, table: dict[str, str]) -> None:
    undeclared = declared = 0
    for name in unit_names():
        name = unicodedata.normalize("NFC", name)
        legacy = encoded(name, table)
        if legacy == name:
            continue
        text, note = repair(legacy, encoding)
        assert text.casefold() == (legacy if note is None else name).casefold()
        declared += note is not None
        undeclared += repair(legacy)[1] is not None
    assert declared >= undeclared


@pytest.mark.parametrize(
    "text",
    [
        "giò chả",
        "Può darsi, è così",
        "Ìmọ̀ òwò",
        "Forlì e Cefalù",
        "Niccolò",
        "Noise - Residential",
        "José Müller",
        "Noël Zoë",
        "Peña Niño",
        "São Tomé",
        "München Zürich",
        "Besançon, Haïti",
        "25 µm x 10 µm",
        "A · B · C",
        "© 2024 ABC®",
        "§ 5, 10 m²",
        "Ê-đê",
        "Krông Klang",
        "Ia Grai",
        "Cộng hoà",
        "Hoà Chí Minh",
        "Thành phố Đông Hà",
        "Trà Vinh",
        "",
        "🙂 Hà Nội",
    ],
)
def test_sound_text_is_left_alone(text: str) -> None:
    assert repair(text) == (text, None)


def test_every_administrative_name_is_left_alone() -> None:
    names = unit_names()
    assert len(names) > 300
    assert [n for n in names if repair(n) != (n, None)] == []


@pytest.mark.parametrize(("note", "table"), [("legacy_tcvn3", TCVN3), ("legacy_vni", VNI)])
def test_administrative_names_come_back(note: str, table: dict[str, str]) -> None:
    """A repaired name is the right name; a name with too little evidence stays as it was."""
    wrong, repaired, doubtful = [], 0, 0
    for name in unit_names():
        legacy = encoded(unicodedata.normalize("NFC", name), table)
        if legacy == name:
            continue
        text, found = repair(legacy)
        if found is None and text == legacy:
            doubtful += 1
        elif found == note and text.casefold() == name.casefold():
            repaired += 1
        else:
            wrong.append((name, legacy, text, found))
    assert wrong == []
    assert repaired > 5 * doubtful


def test_tcvn3_table_equals_the_oracle() -> None:
    assert dict(ORACLE_TCVN3.pairs) == TCVN3


def test_vni_table_agrees_with_the_oracle() -> None:
    oracle = {k: v for k, v in ORACLE_VNI.pairs if k[0] not in "iI"}  # VNI writes ì and í as such
    assert {k: VNI[k] for k in oracle} == oracle
    assert VNI["aú"] == "ẳ"  # unobserved in the oracle's corpus
    assert len(set(VNI.values())) == 67 * 2  # every letter with a mark, small and capital


def test_sentence_is_decoded_like_the_oracle() -> None:
    sentence = "Qu¶ng TrÞ lµ tØnh thuéc vïng B¾c Trung Bé"
    assert repair(sentence)[0] == convert(sentence, ORACLE_TCVN3) == "Quảng Trị là tỉnh thuộc vùng Bắc Trung Bộ"
    sentence = "Quaûng Trò laø tænh thuoäc vuøng Baéc Trung Boä"
    assert repair(sentence)[0] == convert(sentence, ORACLE_VNI) == "Quảng Trị là tỉnh thuộc vùng Bắc Trung Bộ"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Ðông Hà", "Đông Hà"), ("ðường", "đường"), ("Ɖakrông", "Đakrông"), ("Guðrún", "Guðrún")],
)
def test_eth(text: str, expected: str) -> None:
    assert eth_to_d(text) == expected


@pytest.mark.parametrize("word", "hóa hoá quảng trị gìn giếng quốc khuya nghĩa thuở ăn ý yêu ước".split())
def test_syllables(word: str) -> None:
    assert is_syllable(word)
    assert is_syllable(word.upper())


@pytest.mark.parametrize("word", "Hãa càt quaûng jo cê gêm kà ngi street xx đakrông".split())
def test_not_syllables(word: str) -> None:
    assert not is_syllable(word)


def test_highland_places() -> None:
    assert is_place_word("Đakrông")
    assert is_place_word("Krông")
    assert not is_place_word("Müller")
