-- Grain: one stage row is one public holiday. The working days of core.dim_date follow from the list.

-- dx:step merge=snapshot target=core.holiday key=holiday_on ledger
select
    s.ngay as holiday_on,
    s.mo_ta as name,
    s._row_hash as row_hash
from stage.one_stop__ngay_nghi as s;

-- dx:step merge=sql fills=core.dim_date
select core.refresh_working_days();
