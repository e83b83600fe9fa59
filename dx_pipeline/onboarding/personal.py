"""Which columns look like personal data, by what they are called and by what they hold.

Personal data is what tells who somebody is (Nghị định 13/2023/NĐ-CP, art. 2); sensitive data is in its clause 4:
health, religion, ethnic origin. A draft suspects rather too much than too little: a person can lower the
classification, while a name that reached the star has to be called back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

Suspicion = Literal["name", "identity", "phone", "email", "address", "birth", "person", "sensitive", "free_text"]

# Runs of words, as they follow one another in a name (see naming.name_words).
_HINTS: dict[Suspicion, str] = {
    "sensitive": "dan toc|ton giao|chan doan|benh an|benh ly|"
    "ten benh|loai benh|ma benh(?! nhan| vien)|suc khoe|tien an|diagnosis|religion|ethnicity|"
    "ethnic|health status|disease|disability|khuyet tat|morbus|religio|etnia|enfermedad|diagnostico|salud|"
    "discapacidad|maladie|krankheit",
    "birth": "ngay sinh|nam sinh|thang sinh|sinh ngay|birth date|birthdate|date of birth|dob|birth|birthday|natus|"
    "dies natalis|natalis|nacimiento|naissance|nascimento|nascita|geburtsdatum|geburtstag|geboren",
    "phone": "dien thoai|so dien thoai|sdt|dtdd|di dong|phone|mobile|tel|telephone|cellphone|fax|telephonum|"
    "telefono|movil|celular|telefone|telefon|handy",
    "email": "email|mail|e mail|thu dien tu|hop thu|correo|courriel",
    "identity": "cccd|cmnd|cmt|cmtnd|can cuoc|so giay to|so dinh danh|dinh danh ca nhan|ho chieu|passport|citizen id|"
    "national id|identity number|identity card|id card|ssn|so bhxh|so bhyt|the bhyt|ma so bhxh|bao hiem y te|"
    "ma so thue ca nhan|so tai khoan|account number|iban|driving licence|giay phep lai xe|bien so|license plate|dni|"
    "nie|nif|pasaporte|passeport|codice fiscale|cpf|"
    "ausweis",
    "address": "dia chi|noi o|thuong tru|tam tru|que quan|ho khau|cho o|noi cu tru|address|street|residence|domicilium|"
    "habitatio|adresse|direccion|domicilio|calle|endereco|indirizzo|strasse|anschrift",
    "person": "gioi tinh|sex|gender|quoc tich|nationality|hon nhan|marital status|sexus|sexo|sexe|genero|geschlecht|"
    "nacionalidad|estado civil|nationalite",
    "name": "ho ten|ho va ten|ten nguoi|chu ho so|chu ho|ten chu|nguoi|ten cong dan|cong dan|hoc sinh|benh nhan|"
    "ten can bo|can bo|nhan vien|full name|fullname|first name|last name|firstname|lastname|surname|given name|"
    "middle name|family name|maiden name|person name|customer name|patient name|employee name|student name|"
    "applicant name|contact name|owner name|username|user name|created by|updated by|modified by|deleted by|"
    "cognomen|praenomen|nomen gentile|prenom|apellido|father|mother|cha|me|vo|chong|nguoi than|"
    "owner|holder|contact|applicant|skipper|manager|teacher|author|armador|propietario|titular|dueno|responsable|"
    "contacto|patron|usuario|user|apellidos|nombre completo|nombre y apellidos|padre|madre|conyuge|empleado|cliente|"
    "paciente|alumno|solicitante|proprietaire|titulaire|proprietario|titolare|cognome|sobrenome|vorname|nachname|"
    "familienname|inhaber|eigentumer",
    "free_text": "noi dung|ghi chu|dien giai|ly do|y kien|nhan xet|note|notes|comment|comments|remark|remarks|"
    "reason|message|nota|notas|annotatio|observaciones|comentario|comentarios|remarque|remarques|bemerkung|bemerkungen",
}  # fmt: skip
_NOT_PERSONAL = re.compile(
    r"^(?:ma|loai|id|so luong|tong so|code|type|kind|status|trang thai|count)\b|\b(?:id|count|code|type|luong|loai)$"
)
_NOT_A_PERSON = re.compile(
    r"\b(?:don vi|co quan|phong ban|to chuc|xa|phuong|huyen|tinh|thanh pho|quoc gia|san pham|thu tuc|linh vuc|danh muc|"
    r"city|town|country|region|province|state|district|place|product|company|organisation|organization|department|"
    r"agency|office|brand|title|species|borough|landmark|locus|urbs|oppidum|provincia|regio|officium|puerto|ciudad|pais|municipio|comarca|zona|especie|"
    r"empresa|producto|categoria|tipo|ville|pays|commune|departement|produit|stadt|land|ort|street|type|category|status)\b"
)
# Two to five words that all begin with a capital and hold letters only: Nguyễn Thị B, Maria Rossi.
_PERSON = re.compile(r"^[^\W\d_]\S*(?:\s[^\W\d_]\S*){1,4}$")
_IN_NAMES = str.maketrans("", "", "'-.\u2019")
_PERSON_SHARE = 0.8
_LONG_TEXT = 120


def suspect_by_name(words: Iterable[str]) -> Suspicion | None:
    """What the words of a column's name say it holds of a person; None if nothing."""
    text = " ".join(words)
    certain = _contains(text, _HINTS["identity"]) or _contains(text, _HINTS["sensitive"])
    if _NOT_PERSONAL.search(text) and not certain:
        return None
    return next((kind for kind, hints in _HINTS.items() if _contains(text, hints)), None)


def _contains(text: str, hints: str) -> bool:
    return re.search(rf"\b(?:{hints})\b", text) is not None


def suspect_by_content(words: Iterable[str], distinct: pa.Array, filled: int) -> Suspicion | None:
    """What the texts themselves say: names of persons, or prose in which a person may be named.

    Args:
        distinct: the different texts of the column (a part of them is enough).
        filled: rows with a value.
    """
    texts = distinct.drop_null()
    if len(texts) == 0:
        return None
    if pc.max(pc.utf8_length(texts)).as_py() > _LONG_TEXT and len(texts) > 20:
        return "free_text"
    if len(texts) < 20 or len(texts) < filled * 0.05 or _NOT_A_PERSON.search(" ".join(words)):
        return None
    if pc.mean(pc.utf8_length(texts)).as_py() > 40:
        return None
    named = sum(_is_person(text) for text in texts.to_pylist())
    return "name" if named >= _PERSON_SHARE * len(texts) else None


def all_name_persons(words: Iterable[str], texts: Sequence[str]) -> bool:
    """Whether each of a few different texts reads as the name of a person, in a column that names no place or thing."""
    if len(texts) < 3 or _NOT_A_PERSON.search(" ".join(words)):
        return False
    return all(_is_person(text.strip()) for text in texts)


def _is_person(text: str) -> bool:
    words = text.split()
    letters = "".join(words).translate(_IN_NAMES)
    return bool(_PERSON.match(text)) and letters.isalpha() and all(word[0].isupper() for word in words)
