-- Grain: one stage row is one household in one year; it becomes one row of restricted.poor_household (without readers).
-- core gets counts only: core.fact_poor_household_year is recomputed from the open rows of the restricted table.
-- The household's code is kept as SHA-256. Codes are short and can be tried out, so the hash is still personal data.

-- dx:step merge=upsert target=restricted.poor_household key=household_hash,year ledger
select
    sha256(convert_to(s.ma_ho, 'UTF8')) as household_hash,
    s.nam::smallint as year,
    s.ma_xa as commune_code,
    coalesce(u.admin_unit_sk, -1) as commune_sk,
    case s.loai_ho
        when 'ngheo' then 'poor'
        when 'can_ngheo' then 'near_poor'
        else 'no_longer_poor'
    end as household_kind,
    s.so_nhan_khau::smallint as members,
    s.co_internet as has_internet,
    s.co_smartphone as has_smartphone,
    null::date as closed_on,
    s._warnings as quality_flags,
    s._row_hash as row_hash
from stage.poor_households__ho_ngheo as s
left join core.dim_admin_unit as u
    on
        s.ma_xa = u.code
        and u.level = 'commune'
        and make_date(s.nam::integer, 6, 30) >= u.valid_from
        and make_date(s.nam::integer, 6, 30) < u.valid_to;

-- dx:step merge=sql fills=restricted.poor_household scope=year closes
-- A household that is neither accepted nor rejected any more has left the list of its year, if there is
-- a list of that year; one that came back is open again.
-- Row keys are code|year; further rows of one key carry #2, #3.
update restricted.poor_household as t
set
    closed_on = (cast(:as_of as timestamptz) at time zone 'Asia/Ho_Chi_Minh')::date,
    last_batch_id = :batch_id,
    loaded_at = cast(:loaded_at as timestamptz)
where
    t.closed_on is null
    and (
        t.year in (select s.nam from stage.poor_households__ho_ngheo as s)
        or t.year::text = any(cast(:withdrawn as text[]))
    )
    and not exists (
        select
        from stage.poor_households__ho_ngheo as s
        where sha256(convert_to(s.ma_ho, 'UTF8')) = t.household_hash and s.nam = t.year
    )
    and not exists (
        select
        from stage.poor_households__ho_ngheo__rejected as r
        where
            sha256(convert_to(split_part(r.row_key, '|', 1), 'UTF8')) = t.household_hash
            and split_part(split_part(r.row_key, '|', 2), '#', 1) = t.year::text
    );

-- dx:step merge=sql fills=restricted.poor_household
update restricted.poor_household as t
set
    closed_on = null,
    last_batch_id = :batch_id,
    loaded_at = cast(:loaded_at as timestamptz)
where
    t.closed_on is not null
    and exists (
        select
        from stage.poor_households__ho_ngheo as s
        where sha256(convert_to(s.ma_ho, 'UTF8')) = t.household_hash and s.nam = t.year
    );

-- dx:step merge=sql fills=restricted.poor_household scope=year stays
-- What is open and not among the accepted rows: kept for what is in quarantine, or of a part that was not delivered.
select
    t.year::text as part,
    count(*) filter (where p.part is not null) as kept,
    count(*) filter (where p.part is null) as absent
from restricted.poor_household as t
left join (select distinct s.nam::smallint as part from stage.poor_households__ho_ngheo as s) as p on t.year = p.part
where
    t.closed_on is null
    and not exists (
        select
        from stage.poor_households__ho_ngheo as s
        where sha256(convert_to(s.ma_ho, 'UTF8')) = t.household_hash and s.nam = t.year
    )
group by t.year;

-- dx:step merge=sql fills=core.fact_poor_household_year
-- A count of nothing has no row.
delete from core.fact_poor_household_year as f
where not exists (
    select
    from restricted.poor_household as h
    where
        h.closed_on is null
        and h.commune_code = f.commune_code
        and h.year = f.year
        and h.household_kind = f.household_kind
);

-- dx:step merge=sql fills=core.fact_poor_household_year
-- A household whose flag is not known counts as a household, and as neither with nor without.
insert into core.fact_poor_household_year as f (
    commune_code,
    year,
    household_kind,
    commune_sk,
    households,
    members,
    households_without_internet,
    households_without_smartphone,
    first_batch_id,
    last_batch_id,
    loaded_at
)
select
    h.commune_code,
    h.year,
    h.household_kind,
    max(h.commune_sk) as commune_sk,
    count(*) as households,
    sum(h.members) as members,
    count(*) filter (where not h.has_internet) as households_without_internet,
    count(*) filter (where not h.has_smartphone) as households_without_smartphone,
    :batch_id as first_batch_id,
    :batch_id as last_batch_id,
    cast(:loaded_at as timestamptz) as loaded_at
from restricted.poor_household as h
where h.closed_on is null
group by
    h.commune_code,
    h.year,
    h.household_kind
on conflict (commune_code, year, household_kind) do update
    set
        commune_sk = excluded.commune_sk,
        households = excluded.households,
        members = excluded.members,
        households_without_internet = excluded.households_without_internet,
        households_without_smartphone = excluded.households_without_smartphone,
        last_batch_id = excluded.last_batch_id,
        loaded_at = excluded.loaded_at
    where
        (
            f.commune_sk,
            f.households,
            f.members,
            f.households_without_internet,
            f.households_without_smartphone
        ) is distinct from (
            excluded.commune_sk,
            excluded.households,
            excluded.members,
            excluded.households_without_internet,
            excluded.households_without_smartphone
        );
