-- Grain: one stage row is one entry of a register book; it becomes one row of restricted.civil_status_event (without
-- readers). core gets counts only: core.fact_civil_status_month is recomputed from the open rows of that table.
-- An entry is known by the SHA-256 of commune, book and number. These are short and can be tried out, so the hash is
-- still personal data. Of the personal number only the fact that a well-formed one came with a birth.

-- dx:step merge=upsert target=restricted.civil_status_event key=event_hash ledger
with found as (
    select
        s.*,
        coalesce(c.admin_unit_sks[width_bucket(s.ngay_dang_ky, c.starts)], -1) as commune_sk
    from stage.civil_status__viec_ho_tich as s
    left join core.commune_by_code as c on s.ma_xa = c.code
),

-- A name that is no spelling of the commune's: code or name is wrong, and only the office knows which.
named as (
    select
        f.*,
        f.ten_xa is not null
        and not exists (
            select
            from core.commune_name as n
            where n.admin_unit_sk = f.commune_sk and n.name_key = core.admin_name_key(f.ten_xa)
        ) as is_misnamed
    from found as f
)

select
    sha256(convert_to(concat_ws('|', n.ma_xa, n.quyen_so, n.so_dang_ky), 'UTF8')) as event_hash,
    n.ma_xa as commune_code,
    n.commune_sk,
    date_trunc('month', n.ngay_dang_ky::timestamp)::date as month,
    coalesce(k.event_kind_sk, -1::smallint) as event_kind_sk,
    n.loai_viec in ('KS', 'KT') and coalesce(n.dang_ky_qua_han, false) as is_late,
    n.loai_viec = 'KS' and n.so_dinh_danh_cap_pseudonym is not null as has_personal_number,
    null::date as closed_on,
    case
        when n.is_misnamed then array_append(n._warnings, 'ten_xa_khac_ma')
        else n._warnings
    end as quality_flags,
    hashint8extended(n._row_hash, n.commune_sk) as row_hash
from named as n
left join core.dim_civil_event_kind as k on n.loai_viec = k.code;

-- dx:step merge=sql fills=restricted.civil_status_event scope=month closes
-- An entry that is neither accepted nor rejected any more has left the files of its month, if there is one of that
-- month; one that came back is open again.
-- Row keys are commune|book|number; further rows of one key carry #2, #3.
update restricted.civil_status_event as t
set
    closed_on = (cast(:as_of as timestamptz) at time zone 'Asia/Ho_Chi_Minh')::date,
    last_batch_id = :batch_id,
    loaded_at = cast(:loaded_at as timestamptz)
where
    t.closed_on is null
    and (
        t.month in (
            select date_trunc('month', s.ngay_dang_ky::timestamp)::date
            from stage.civil_status__viec_ho_tich as s
        )
        or t.month::text = any(cast(:withdrawn as text[]))
    )
    and not exists (
        select
        from stage.civil_status__viec_ho_tich as s
        where sha256(convert_to(concat_ws('|', s.ma_xa, s.quyen_so, s.so_dang_ky), 'UTF8')) = t.event_hash
    )
    and not exists (
        select
        from stage.civil_status__viec_ho_tich__rejected as r
        where sha256(convert_to(split_part(r.row_key, '#', 1), 'UTF8')) = t.event_hash
    );

-- dx:step merge=sql fills=restricted.civil_status_event
update restricted.civil_status_event as t
set
    closed_on = null,
    last_batch_id = :batch_id,
    loaded_at = cast(:loaded_at as timestamptz)
where
    t.closed_on is not null
    and exists (
        select
        from stage.civil_status__viec_ho_tich as s
        where sha256(convert_to(concat_ws('|', s.ma_xa, s.quyen_so, s.so_dang_ky), 'UTF8')) = t.event_hash
    );

-- dx:step merge=sql fills=restricted.civil_status_event scope=month stays
-- What is open and not among the accepted rows: kept for what is in quarantine, or of a part that was not delivered.
select
    t.month::text as part,
    count(*) filter (where p.part is not null) as kept,
    count(*) filter (where p.part is null) as absent
from restricted.civil_status_event as t
left join (
    select distinct date_trunc('month', s.ngay_dang_ky::timestamp)::date as part
    from stage.civil_status__viec_ho_tich as s
) as p on t.month = p.part
where
    t.closed_on is null
    and not exists (
        select
        from stage.civil_status__viec_ho_tich as s
        where sha256(convert_to(concat_ws('|', s.ma_xa, s.quyen_so, s.so_dang_ky), 'UTF8')) = t.event_hash
    )
group by t.month;

-- dx:step merge=sql fills=core.fact_civil_status_month
-- A count of nothing has no row.
delete from core.fact_civil_status_month as f
where not exists (
    select
    from restricted.civil_status_event as e
    where
        e.closed_on is null
        and e.commune_code = f.commune_code
        and e.month = f.month
        and e.event_kind_sk = f.event_kind_sk
);

-- dx:step merge=sql fills=core.fact_civil_status_month
insert into core.fact_civil_status_month as f (
    commune_code,
    month,
    event_kind_sk,
    commune_sk,
    events,
    late_registrations,
    personal_numbers_issued,
    first_batch_id,
    last_batch_id,
    loaded_at
)
select
    e.commune_code,
    e.month,
    e.event_kind_sk,
    max(e.commune_sk) as commune_sk,
    count(*) as events,
    count(*) filter (where e.is_late) as late_registrations,
    count(*) filter (where e.has_personal_number) as personal_numbers_issued,
    :batch_id as first_batch_id,
    :batch_id as last_batch_id,
    cast(:loaded_at as timestamptz) as loaded_at
from restricted.civil_status_event as e
where e.closed_on is null
group by
    e.commune_code,
    e.month,
    e.event_kind_sk
on conflict (commune_code, month, event_kind_sk) do update
    set
        commune_sk = excluded.commune_sk,
        events = excluded.events,
        late_registrations = excluded.late_registrations,
        personal_numbers_issued = excluded.personal_numbers_issued,
        last_batch_id = excluded.last_batch_id,
        loaded_at = excluded.loaded_at
    where
        (
            f.commune_sk,
            f.events,
            f.late_registrations,
            f.personal_numbers_issued
        ) is distinct from (
            excluded.commune_sk,
            excluded.events,
            excluded.late_registrations,
            excluded.personal_numbers_issued
        );
