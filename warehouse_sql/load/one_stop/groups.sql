-- Grain: one stage row is one agency, known by its identifier of Decision 20/2020/QĐ-TTg.
-- The first version of an agency starts at 1900-01-01, so dossiers older than the catalogue find it. A later version
-- starts on the effective day the source gives, when that is new, or else on the day the change was seen.
-- The hash covers the attributes only: a row that was merely saved again makes no version.

-- An agency met in a dossier by its old identifier before the catalogue knew it: the inferred member takes the new one.
-- dx:step merge=sql
insert into core.dim_agency (agency_sk, agency_code, valid_from)
overriding system value
select
    a.agency_sk,
    s.ma_dinh_danh as agency_code,
    a.valid_from
from stage.one_stop__groups as s
inner join core.dim_agency as a on s.ma_dinh_danh_cu = a.agency_code and a.is_inferred
left join core.dim_agency as taken on s.ma_dinh_danh = taken.agency_code
where s.ma_dinh_danh_cu <> s.ma_dinh_danh and taken.agency_sk is null
on conflict (agency_sk) do update set agency_code = excluded.agency_code;

-- dx:step merge=scd2 target=core.dim_agency key=agency_code close_missing ledger
with incoming as (
    select
        s.ma_dinh_danh as agency_code,
        s.ma_dinh_danh_cu as legacy_code,
        s.group_code as source_code,
        coalesce(s.group_name, s.ma_dinh_danh) as name,
        s.catalog as kind,
        -- A branch of the land registry (cnvpdk) sits in a district but belongs to a provincial department.
        case s.catalog when 'quan-huyen' then 'district' when 'xa-phuong' then 'commune' else 'province' end as level,
        above.ma_dinh_danh as parent_agency_code,
        s.ma_tinh as province_code,
        s.ma_huyen as district_code,
        s.ma_xa as commune_code,
        s.hieu_luc_tu as established_on
    from stage.one_stop__groups as s
    left join stage.one_stop__groups as above on s.of_group_code = above.group_code
)

select
    n.agency_code,
    n.legacy_code,
    n.source_code,
    n.name,
    n.kind,
    n.level,
    n.parent_agency_code,
    n.province_code,
    n.district_code,
    n.commune_code,
    n.established_on,
    case
        when latest.agency_sk is null or latest.is_inferred then date '1900-01-01'
        when n.established_on > latest.valid_from and (n.established_on is distinct from latest.established_on)
            then n.established_on
        else greatest((cast(:as_of as timestamptz) at time zone 'Asia/Ho_Chi_Minh')::date, latest.valid_from)
    end as valid_from,
    hashtextextended(
        row(
            n.legacy_code,
            n.source_code,
            n.name,
            n.kind,
            n.level,
            n.parent_agency_code,
            n.province_code,
            n.district_code,
            n.commune_code,
            n.established_on - date '1900-01-01'
        )::text,
        0
    ) as row_hash
from incoming as n
left join (
    select distinct on (a.agency_code)
        a.agency_sk,
        a.agency_code,
        a.established_on,
        a.valid_from,
        a.is_inferred
    from core.dim_agency as a
    order by
        a.agency_code asc,
        a.valid_from desc
) as latest on n.agency_code = latest.agency_code;

-- dx:step merge=infer target=core.dim_agency key=agency_code
-- A reform names successors before the catalogue does: they are there as inferred members.
select distinct
    s.today_agency_code as agency_code,
    s.today_agency_name as name
from core.agency_successor as s
inner join core.dim_agency as a on s.predecessor_code = a.agency_code
where s.today_agency_code is not null;

-- dx:step merge=upsert target=core.agency_identifier key=identifier
select distinct on (known.identifier)
    known.identifier,
    known.agency_code,
    known.generation,
    hashtextextended(known.agency_code, known.generation) as row_hash
from (
    select
        s.ma_dinh_danh as identifier,
        s.ma_dinh_danh as agency_code,
        2::smallint as generation,
        s.hieu_luc_tu
    from stage.one_stop__groups as s
    union all
    select
        s.ma_dinh_danh_cu as identifier,
        s.ma_dinh_danh as agency_code,
        1::smallint as generation,
        s.hieu_luc_tu
    from stage.one_stop__groups as s
    where s.ma_dinh_danh_cu <> s.ma_dinh_danh
) as known
order by
    known.identifier asc,
    known.generation desc,
    known.hieu_luc_tu desc nulls last,
    known.agency_code asc;

-- dx:step merge=sql fills=core.dim_agency changes=core.bridge_task_agency,core.fact_staff_year
-- What was published under an old identifier before the catalogue knew it belongs to the agency from now on.
select core.unite_agency_identifiers(:batch_id, cast(:loaded_at as timestamptz));
