"""All semantic types by name, and the check that a contract uses them rightly."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dx_pipeline.clean.agency_code import AGENCY_CODE
from dx_pipeline.clean.code_list import CODE_LIST
from dx_pipeline.clean.commune_code import COMMUNE_CODE
from dx_pipeline.clean.digit_code import DIGIT_CODE
from dx_pipeline.clean.dossier_code import DOSSIER_CODE
from dx_pipeline.clean.email_address import EMAIL
from dx_pipeline.clean.identity import CITIZEN_ID
from dx_pipeline.clean.insurance import BHXH_NUMBER, BHYT_CARD
from dx_pipeline.clean.numbers import FLAG, INTEGER, MONEY_VND, NUMBER
from dx_pipeline.clean.percentage import PERCENTAGE
from dx_pipeline.clean.person_name import PERSON_NAME
from dx_pipeline.clean.phone import PHONE
from dx_pipeline.clean.procedure_code import PROCEDURE_CODE
from dx_pipeline.clean.register_number import REGISTER_NUMBER
from dx_pipeline.clean.semantic_type import SemanticType
from dx_pipeline.clean.tax_code import TAX_CODE
from dx_pipeline.clean.text import ADDRESS, IDENTIFIER, TEXT
from dx_pipeline.clean.times import BIRTH_DATE, DATE, DATETIME
from dx_pipeline.clean.unit_name import UNIT_NAME
from dx_pipeline.clean.vsic_code import VSIC_CODE
from dx_pipeline.contract.model import Column, Contract
from dx_pipeline.errors import ContractError

_TYPES = (
    TEXT,
    PERSON_NAME,
    UNIT_NAME,
    ADDRESS,
    IDENTIFIER,
    CODE_LIST,
    DOSSIER_CODE,
    PROCEDURE_CODE,
    AGENCY_CODE,
    COMMUNE_CODE,
    VSIC_CODE,
    DIGIT_CODE,
    DATETIME,
    DATE,
    BIRTH_DATE,
    MONEY_VND,
    INTEGER,
    NUMBER,
    PERCENTAGE,
    FLAG,
    CITIZEN_ID,
    TAX_CODE,
    BHXH_NUMBER,
    BHYT_CARD,
    PHONE,
    EMAIL,
    REGISTER_NUMBER,
)

SEMANTIC_TYPES: Mapping[str, SemanticType] = MappingProxyType({t.name: t for t in _TYPES})

# Options every type understands.
COMMON_OPTIONS: Mapping[str, str] = MappingProxyType({"null_values": "texts that stand for an empty value"})


def semantic_type(contract: Contract, column: Column) -> SemanticType:
    """The semantic type of a column; ContractError names contract, column and the known types."""
    found = SEMANTIC_TYPES.get(column.semantic_type)
    if found is None:
        raise ContractError(
            f"{contract.id}, column {column.name}: semantic type {column.semantic_type!r} is not known",
            next_step="use one of " + ", ".join(sorted(SEMANTIC_TYPES)),
        )
    return found


def check_options(contract: Contract, column: Column) -> None:
    """Refuse an option the column's type does not understand or whose value is wrong (ContractError)."""
    found = semantic_type(contract, column)
    known = {*found.options, *COMMON_OPTIONS}
    written = [option for option in column.options if not isinstance(option, str)]
    if written:
        names = ", ".join(str(option).lower() for option in written)
        raise ContractError(
            f"{contract.id}, column {column.name}: YAML reads the option {names} as a value and not as a name",
            next_step="put it in quotation marks: "
            + ", ".join(f'"{str(option).lower()}": [...]' for option in written),
        )
    unknown = sorted(set(column.options) - known)
    if unknown:
        raise ContractError(
            f"{contract.id}, column {column.name}: {found.name} has no option {', '.join(unknown)}",
            next_step="use " + ", ".join(sorted(known)),
        )
    for option in ("null_values", "placeholders", "true", "false"):
        if option in column.options and not isinstance(column.options[option], (list, tuple)):
            raise ContractError(
                f"{contract.id}, column {column.name}: option {option} is not a list",
                next_step=f'write "{option}": ["...", "..."]',
            )
    if found.check is not None:
        try:
            found.check(column)
        except ContractError as error:
            raise ContractError(f"{contract.id}, {error.what}", next_step=error.next_step) from None
