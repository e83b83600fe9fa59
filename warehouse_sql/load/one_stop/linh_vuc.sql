-- Grain: one stage row is one field of administration.
-- A new name is a correction (type 1): the only version starts at 1900-01-01. A field missing at the source is closed.

-- dx:step merge=scd2 target=core.dim_field key=field_code close_missing ledger
select
    s.ma_linh_vuc as field_code,
    coalesce(s.ten_linh_vuc, s.ma_linh_vuc) as name,
    date '1900-01-01' as valid_from,
    s._row_hash as row_hash
from stage.one_stop__linh_vuc as s;
