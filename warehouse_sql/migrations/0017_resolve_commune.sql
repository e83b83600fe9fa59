-- One question at a time: which commune is meant? The reasons are listed in 0016_admin_unit_lookup.sql. For a whole
-- table join core.commune_by_code or core.commune_by_name; these functions read the same tables and give the same
-- answers, and say more exactly why a name was not found.

create or replace function core.resolve_commune(code text, on_day date)
returns table (admin_unit_sk integer, reason text)
language sql
stable
parallel safe
as $$
    select
        found.admin_unit_sks[width_bucket(resolve_commune.on_day, found.starts)],
        case
            when coalesce(asked.code, '') = '' then 'code_missing'
            when resolve_commune.on_day is null then 'day_missing'
            when found.code is null then 'unknown_code'
            when width_bucket(resolve_commune.on_day, found.starts) = 0 then 'not_in_force_that_day'
            else found.reasons[width_bucket(resolve_commune.on_day, found.starts)]
        end
    from (values (btrim(resolve_commune.code))) as asked (code)
    left join core.commune_by_code as found on asked.code = found.code
$$;

-- district: name or code, or null; province_code: 45 and 44 before 2025-07-01, 44 since, or null.
create or replace function core.resolve_commune(
    name text,
    district text,
    on_day date,
    province_code text default null
)
returns table (admin_unit_sk integer, reason text)
language sql
stable
parallel safe
as $$
    select
        found.admin_unit_sks[width_bucket(resolve_commune.on_day, found.starts)],
        case
            when asked.name_key is null then 'name_missing'
            when resolve_commune.on_day is null then 'day_missing'
            when found.name_key is not null and width_bucket(resolve_commune.on_day, found.starts) = 0
                then 'not_in_force_that_day'
            when found.name_key is not null then found.reasons[width_bucket(resolve_commune.on_day, found.starts)]
            when asked.kind in ('huyện', 'thị xã', 'thành phố', 'tỉnh') then 'not_a_commune'
            when
                not exists (
                    select from core.commune_by_name as k where k.name_key = asked.name_key
                )
                then 'unknown_name'
            when
                asked.district_key <> ''
                and not exists (
                    select from core.commune_name as k where asked.district_key = any(k.district_keys)
                )
                then 'unknown_district'
            when
                asked.province_code <> ''
                and not exists (
                    select from core.commune_name as k where asked.province_code = k.province_code
                )
                then 'unknown_province'
            when
                exists (
                    select
                    from core.commune_by_name as k
                    where
                        k.name_key = asked.name_key
                        and k.kind = ''
                        and k.district_key = asked.district_key
                        and k.province_code = asked.province_code
                )
                then 'kind_differs'
            else 'not_in_that_district'
        end
    from (
        select
            core.admin_name_key(resolve_commune.name) as name_key,
            coalesce(core.admin_name_kind(resolve_commune.name), '') as kind,
            coalesce(core.admin_name_key(resolve_commune.district), '') as district_key,
            coalesce(btrim(resolve_commune.province_code), '') as province_code
    ) as asked
    left join core.commune_by_name as found
        on
            asked.name_key = found.name_key
            and asked.kind = found.kind
            and asked.district_key = found.district_key
            and asked.province_code = found.province_code
$$;

comment on function core.resolve_commune(text, date) is 'Xã theo mã và ngày, hoặc lý do không tìm được | Commune by code and day, or the reason why there is none';
comment on function core.resolve_commune(text, text, date, text) is 'Xã theo tên, huyện và ngày, hoặc lý do không chắc chắn | Commune by name, district and day, or the reason why it is not certain';

revoke all on function core.resolve_commune(text, date) from public;
revoke all on function core.resolve_commune(text, text, date, text) from public;
grant execute on function core.resolve_commune(text, date) to dx_loader, dx_engineer, dx_analyst;
grant execute on function core.resolve_commune(text, text, date, text) to dx_loader, dx_engineer, dx_analyst;
