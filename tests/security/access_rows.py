"""A few agencies with rows of their own, for the tests of what each login sees."""

from __future__ import annotations

import psycopg

from dx_pipeline.warehouse.connection import Warehouse
from tests.security.logins import owner_url

PROVINCE, A, B, DISTRICT, COMMUNE = "H50", "H50.05", "H50.06", "H50.21", "H50.21.03"
AGENCIES = {
    PROVINCE: "province",
    A: "province",
    B: "province",
    DISTRICT: "district",
    COMMUNE: "commune",
}
OWN_ROWS = {  # what the catalogue's identifiers make each agency see: itself and those below it
    PROVINCE: [PROVINCE, A, B, DISTRICT, COMMUNE],
    A: [A],
    B: [B],
    DISTRICT: [DISTRICT, COMMUNE],
    COMMUNE: [COMMUNE],
}


def dossier_of(agency: str) -> str:
    """Code of the agency's only dossier."""
    return f"000.00.{sorted(AGENCIES).index(agency):02d}.H50-240601-0001"


def plant_rows(warehouse: Warehouse) -> None:
    """One dossier, one month of dossiers late now and one rejected row of each agency; one row that all share."""
    with psycopg.connect(owner_url(warehouse)) as connection:
        connection.execute("select ops.create_monthly_partition('core.fact_dossier', '2024-06-01')")
        connection.execute(
            "insert into ops.batch (system, dataset, contract_version, kind, status) values ('s', 'd', '1', 'full', 'held')"
        )
        for agency, level in AGENCIES.items():
            connection.execute(
                "insert into core.dim_agency (agency_code, name, level, valid_from) values (%s, %s, %s, '2016-01-01')",
                [agency, f"Cơ quan {agency}", level],
            )
            connection.execute(
                "insert into core.fact_dossier (dossier_code, registered_on, agency_sk, procedure_sk, field_sk, commune_sk,"
                " received_date_key, channel_sk, status_sk, applicant_kind_sk, source_updated_at, loaded_at, row_hash,"
                " first_batch_id, last_batch_id)"
                " select %s, '2024-06-01', agency_sk, -1, -1, -1, -1, -1, -1, -1, now(), now(), 0, 1, 1 from core.dim_agency"
                " where agency_code = %s",
                [dossier_of(agency), agency],
            )
            connection.execute(
                "insert into ops.quarantine (system, dataset, row_key, reasons, raw_record, owner_agency, first_batch_id,"
                " last_batch_id, first_seen, last_seen) select 's', 'd', %s, '{x}', '{}', %s, max(batch_id), max(batch_id),"
                " now(), now() from ops.batch",
                [agency, agency],
            )
            connection.execute(
                "insert into mart.system_compliance (system_code, system_name, system_kind, owner_agency_code,"
                " owner_agency_name, has_security_level, missing, not_known, complies, refreshed_at)"
                " values (%s, 'Trang tin', 'cong_ttdt', %s, 'x', false, 'cấp độ', '', false, now())",
                [f"HT-{agency}", agency],
            )
        connection.execute(
            "insert into mart.service_level_on_date values ('2024-01-01', '9999-12-31', 1, 2, 3, 4, 10, now())"
        )
