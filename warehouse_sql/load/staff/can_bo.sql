-- Grain: one stage row is one person in one year; it becomes one row of restricted.staff_member (without readers). core
-- gets counts only: core.fact_staff_year is recomputed from the open rows of the restricted table. The agency is that
-- of its code on 30 June of the year. A code that the catalogue never had becomes an inferred member, one that it no
-- longer has leads to -1: mart.staff_by_agency_year shows both as not in the catalogue. The staff number is kept as
-- SHA-256. Numbers are short and can be tried out, so the hash is still personal data.

-- dx:step merge=infer target=core.dim_agency key=agency_code
select distinct coalesce(i.agency_code, s.ma_don_vi) as agency_code
from stage.staff__can_bo as s
left join core.agency_identifier as i on s.ma_don_vi = i.identifier;

-- dx:step merge=upsert target=restricted.staff_member key=staff_hash,year ledger
with placed as (
    select
        s.*,
        coalesce(i.agency_code, s.ma_don_vi) as agency_code,
        coalesce(a.agency_sk, -1) as agency_sk
    from stage.staff__can_bo as s
    left join core.agency_identifier as i on s.ma_don_vi = i.identifier
    left join core.dim_agency as a
        on
            a.agency_code = coalesce(i.agency_code, s.ma_don_vi)
            and make_date(s.nam::integer, 6, 30) >= a.valid_from
            and make_date(s.nam::integer, 6, 30) < a.valid_to
)

select
    sha256(convert_to(p.so_hieu, 'UTF8')) as staff_hash,
    p.nam::smallint as year,
    cast(:key_version as smallint) as key_version,
    p.so_dinh_danh_pseudonym as citizen_id_pseudonym,
    p.agency_code,
    p.agency_sk,
    coalesce(p.ma_ngach, '-2') as rank_code,
    p.trinh_do_chuyen_mon as qualification,
    p.trinh_do_tin_hoc as computer_skill,
    p.la_chuyen_trach_cds as is_dx_full_time,
    p.la_kiem_nhiem_cds as is_dx_part_time,
    p.la_dau_moi_attt as is_security_contact,
    null::date as closed_on,
    p._warnings as quality_flags,
    hashint8extended(p._row_hash, p.agency_sk) as row_hash
from placed as p;

-- dx:step merge=sql fills=restricted.staff_member scope=year closes
-- A person who is neither accepted nor rejected any more has left the register of its year, if it
-- holds that year; one who came back is open again.
-- Row keys are number|year; further rows of one key carry #2, #3.
update restricted.staff_member as t
set
    closed_on = (cast(:as_of as timestamptz) at time zone 'Asia/Ho_Chi_Minh')::date,
    last_batch_id = :batch_id,
    loaded_at = cast(:loaded_at as timestamptz)
where
    t.closed_on is null
    and (
        t.year in (select s.nam from stage.staff__can_bo as s)
        or t.year::text = any(cast(:withdrawn as text[]))
    )
    and not exists (
        select
        from stage.staff__can_bo as s
        where sha256(convert_to(s.so_hieu, 'UTF8')) = t.staff_hash and s.nam = t.year
    )
    and not exists (
        select
        from stage.staff__can_bo__rejected as r
        where
            sha256(convert_to(split_part(r.row_key, '|', 1), 'UTF8')) = t.staff_hash
            and split_part(split_part(r.row_key, '|', 2), '#', 1) = t.year::text
    );

-- dx:step merge=sql fills=restricted.staff_member
update restricted.staff_member as t
set
    closed_on = null,
    last_batch_id = :batch_id,
    loaded_at = cast(:loaded_at as timestamptz)
where
    t.closed_on is not null
    and exists (
        select
        from stage.staff__can_bo as s
        where sha256(convert_to(s.so_hieu, 'UTF8')) = t.staff_hash and s.nam = t.year
    );

-- dx:step merge=sql fills=restricted.staff_member scope=year stays
-- What is open and not among the accepted rows: kept for what is in quarantine, or of a part that was not delivered.
select
    t.year::text as part,
    count(*) filter (where p.part is not null) as kept,
    count(*) filter (where p.part is null) as absent
from restricted.staff_member as t
left join (select distinct s.nam::smallint as part from stage.staff__can_bo as s) as p on t.year = p.part
where
    t.closed_on is null
    and not exists (
        select
        from stage.staff__can_bo as s
        where sha256(convert_to(s.so_hieu, 'UTF8')) = t.staff_hash and s.nam = t.year
    )
group by t.year;

-- dx:step merge=sql fills=core.fact_staff_year
-- A count of nothing has no row.
delete from core.fact_staff_year as f
where not exists (
    select
    from restricted.staff_member as m
    inner join core.dim_staff_rank as r on m.rank_code = r.rank_code
    where
        m.closed_on is null
        and m.agency_code = f.agency_code
        and m.year = f.year
        and r.rank_group = f.rank_group
);

-- dx:step merge=sql fills=core.fact_staff_year
-- A person whose qualification is not known counts as a person, and as neither with nor without a degree.
insert into core.fact_staff_year as f (
    agency_code,
    year,
    rank_group,
    agency_sk,
    staff,
    dx_full_time,
    dx_part_time,
    security_contacts,
    with_degree,
    without_degree,
    with_computer_skill,
    without_computer_skill,
    first_batch_id,
    last_batch_id,
    loaded_at
)
select
    m.agency_code,
    m.year,
    r.rank_group,
    max(m.agency_sk) as agency_sk,
    count(*) as staff,
    count(*) filter (where m.is_dx_full_time) as dx_full_time,
    count(*) filter (where m.is_dx_part_time) as dx_part_time,
    count(*) filter (where m.is_security_contact) as security_contacts,
    count(*) filter (where m.qualification in ('tien_si', 'thac_si', 'dai_hoc')) as with_degree,
    count(*) filter (where m.qualification not in ('tien_si', 'thac_si', 'dai_hoc')) as without_degree,
    count(*) filter (where m.computer_skill <> 'chua_co') as with_computer_skill,
    count(*) filter (where m.computer_skill = 'chua_co') as without_computer_skill,
    :batch_id as first_batch_id,
    :batch_id as last_batch_id,
    cast(:loaded_at as timestamptz) as loaded_at
from restricted.staff_member as m
inner join core.dim_staff_rank as r on m.rank_code = r.rank_code
where m.closed_on is null
group by
    m.agency_code,
    m.year,
    r.rank_group
on conflict (agency_code, year, rank_group) do update
    set
        agency_sk = excluded.agency_sk,
        staff = excluded.staff,
        dx_full_time = excluded.dx_full_time,
        dx_part_time = excluded.dx_part_time,
        security_contacts = excluded.security_contacts,
        with_degree = excluded.with_degree,
        without_degree = excluded.without_degree,
        with_computer_skill = excluded.with_computer_skill,
        without_computer_skill = excluded.without_computer_skill,
        last_batch_id = excluded.last_batch_id,
        loaded_at = excluded.loaded_at
    where
        (
            f.agency_sk,
            f.staff,
            f.dx_full_time,
            f.dx_part_time,
            f.security_contacts,
            f.with_degree,
            f.without_degree,
            f.with_computer_skill,
            f.without_computer_skill
        ) is distinct from (
            excluded.agency_sk,
            excluded.staff,
            excluded.dx_full_time,
            excluded.dx_part_time,
            excluded.security_contacts,
            excluded.with_degree,
            excluded.without_degree,
            excluded.with_computer_skill,
            excluded.without_computer_skill
        );
