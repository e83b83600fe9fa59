-- Which agency has an agency's tasks today. A fact keeps the agency of its day (agency_sk); a report may restate it:
--
--     select t.today_agency_code, t.today_agency_name, t.reason, count(*)
--     from core.fact_dossier as d
--     inner join core.agency_today as t on t.agency_sk = d.agency_sk
--     group by 1, 2, 3
--
-- Every agency version has exactly one row in core.agency_today, so the total stays the same. An agency whose tasks
-- went to several has no agency of today: is_split, reason split_share_unknown, and the possible ones by name.
--
-- Reasons: succeeded, split_share_unknown, closed_without_successor (left the catalogue, nobody named); empty when the
-- agency is still itself.
--
-- The file has the reorganisation of March 2025. Its identifiers H50.xx are those of the sandbox, made up like all of
-- them there; a province puts its own into the file before it makes its warehouse, or adds rows in a migration that
-- ends with core.refresh_agency_successors(). The districts and communes abolished on 1 July 2025 are restated as
-- places, with core.bridge_admin_map, not as agencies.

-- Grain: one row per agency that ended or gave tasks away, day, and agency that took them over (empty when unknown).
create table if not exists core.agency_succession (
    predecessor_code text not null,
    predecessor_name text not null,
    successor_code text,
    successor_name text,
    effective_on date not null,
    extent text not null,
    tasks text,
    confidence text not null,
    source text not null,
    constraint agency_succession_once unique nulls not distinct (predecessor_code, effective_on, successor_code),
    constraint agency_succession_extent_known check (extent in ('whole', 'main_part', 'part')),
    constraint agency_succession_whole_is_known check (extent = 'part' or successor_code is not null)
);

-- dx:copy core.agency_succession(predecessor_code, predecessor_name, successor_code, successor_name, effective_on, extent, tasks, confidence, source) from reference/agency_succession.csv

-- Grain: one row per agency that ended and day on which it ended; chains of successors are followed to their end.
create table if not exists core.agency_successor (
    predecessor_code text not null,
    applies_from date not null,
    effective_on date not null,
    today_agency_code text,
    today_agency_name text,
    is_split boolean not null,
    main_agency_code text,
    possible_agencies text,
    primary key (predecessor_code, effective_on),
    constraint agency_successor_split check (is_split = (today_agency_code is null))
);

create or replace function core.refresh_agency_successors()
returns bigint
language plpgsql
as $$
declare
    filled bigint;
begin
    delete from core.agency_successor;

    with recursive line as (
        select
            s.predecessor_code,
            s.effective_on,
            s.effective_on as last_on,
            s.successor_code,
            s.successor_name,
            s.extent <> 'part' as is_main,
            array[s.predecessor_code, s.successor_code] as passed
        from core.agency_succession as s
        union all
        select
            l.predecessor_code,
            l.effective_on,
            s.effective_on,
            s.successor_code,
            s.successor_name,
            l.is_main and s.extent <> 'part',
            l.passed || s.successor_code
        from line as l
        inner join core.agency_succession as s on l.successor_code = s.predecessor_code and s.effective_on >= l.last_on
        where s.successor_code is null or s.successor_code <> all(l.passed)
    ),

    last_of_line as (
        select distinct
            l.predecessor_code,
            l.effective_on,
            l.successor_code,
            l.successor_name,
            l.is_main
        from line as l
        left join core.agency_succession as s on l.successor_code = s.predecessor_code and s.effective_on >= l.last_on
        where s.predecessor_code is null
    ),

    ending as (
        select
            e.predecessor_code,
            e.effective_on,
            count(distinct coalesce(e.successor_code, '')) > 1 or bool_or(e.successor_code is null) as is_split,
            min(e.successor_code) as one_code,
            min(e.successor_name) as one_name,
            min(e.successor_code) filter (where e.is_main) as main_code,
            string_agg(
                distinct coalesce(e.successor_name || ' (' || e.successor_code || ')', 'chưa rõ | not known'),
                '; '
            ) as possible_agencies
        from last_of_line as e
        group by
            e.predecessor_code,
            e.effective_on
    )

    insert into core.agency_successor (
        predecessor_code,
        applies_from,
        effective_on,
        today_agency_code,
        today_agency_name,
        is_split,
        main_agency_code,
        possible_agencies
    )
    select
        e.predecessor_code,
        coalesce(
            lag(e.effective_on) over (partition by e.predecessor_code order by e.effective_on), date '1900-01-01'
        ) as applies_from,
        e.effective_on,
        case when not e.is_split then e.one_code end as today_agency_code,
        case when not e.is_split then e.one_name end as today_agency_name,
        e.is_split,
        e.main_code as main_agency_code,
        case when e.is_split then e.possible_agencies end as possible_agencies
    from ending as e;
    get diagnostics filled = row_count;
    return filled;
end;
$$;

select core.refresh_agency_successors();

-- Grain: one row per agency version (core.dim_agency). An identifier given to another agency later is no trap: a
-- version that starts on or after the day of the reform is not restated by it.
create or replace view core.agency_today as
select
    a.agency_sk,
    a.agency_code,
    case when s.predecessor_code is null then a.agency_code else s.today_agency_code end as today_agency_code,
    coalesce(now_there.agency_sk, -1) as today_agency_sk,
    case
        when s.is_split then 'Đã chia cho nhiều cơ quan | Split among several agencies'
        else coalesce(case when not now_there.is_inferred then now_there.name end, s.today_agency_name, now_there.name)
    end as today_agency_name,
    coalesce(s.is_split, false) as is_split,
    s.main_agency_code,
    s.possible_agencies,
    case
        when s.is_split then 'split_share_unknown'
        when s.predecessor_code is not null then 'succeeded'
        when not now_there.is_current then 'closed_without_successor'
    end as reason
from core.dim_agency as a
left join core.agency_successor as s
    on
        a.agency_code = s.predecessor_code
        and a.valid_from >= s.applies_from
        and a.valid_from < s.effective_on
left join (
    select distinct on (v.agency_code)
        v.agency_code,
        v.agency_sk,
        v.name,
        v.is_current,
        v.is_inferred
    from core.dim_agency as v
    order by
        v.agency_code asc,
        v.is_current desc,
        v.valid_from desc
) as now_there
    on
        now_there.agency_code
        = case when s.predecessor_code is null then a.agency_code else s.today_agency_code end;

comment on function core.refresh_agency_successors() is 'Dựng lại cơ quan kế thừa hiện nay; trả về số dòng | Rebuilds the successors of today; returns their number';

comment on table core.agency_succession is 'Cơ quan kế thừa theo từng lần sắp xếp | Who took over whose tasks, reform by reform';
comment on column core.agency_succession.predecessor_code is 'Mã định danh cơ quan trước sắp xếp | Identifier of the agency before';
comment on column core.agency_succession.predecessor_name is 'Tên cơ quan trước sắp xếp | Name of the agency before';
comment on column core.agency_succession.successor_code is 'Mã định danh cơ quan kế thừa, trống nếu chưa rõ | Identifier of the successor, empty when not known';
comment on column core.agency_succession.successor_name is 'Tên cơ quan kế thừa | Name of the successor';
comment on column core.agency_succession.effective_on is 'Ngày sắp xếp có hiệu lực | Day the reform takes effect';
comment on column core.agency_succession.extent is 'whole toàn bộ, main_part phần chính, part một phần | whole, main part or a part of the tasks';
comment on column core.agency_succession.tasks is 'Nhiệm vụ chuyển giao | Tasks handed over';
comment on column core.agency_succession.confidence is 'Độ tin cậy | Confidence';
comment on column core.agency_succession.source is 'Căn cứ | Source';

comment on table core.agency_successor is 'Cơ quan hiện nay của từng cơ quan đã sắp xếp | The agency of today of each agency that was reorganised';
comment on column core.agency_successor.predecessor_code is 'Mã định danh cơ quan trước sắp xếp | Identifier of the agency before';
comment on column core.agency_successor.applies_from is 'Áp dụng cho phiên bản bắt đầu từ ngày | For versions that start on this day or later';
comment on column core.agency_successor.effective_on is 'Và bắt đầu trước ngày sắp xếp | And before the day of the reform';
comment on column core.agency_successor.today_agency_code is 'Mã định danh cơ quan hiện nay, trống khi bị chia | Identifier of the agency of today, empty when split';
comment on column core.agency_successor.today_agency_name is 'Tên cơ quan hiện nay | Name of the agency of today';
comment on column core.agency_successor.is_split is 'Nhiệm vụ chia cho nhiều cơ quan | Tasks went to several agencies';
comment on column core.agency_successor.main_agency_code is 'Cơ quan nhận phần chính | Agency that took the main part';
comment on column core.agency_successor.possible_agencies is 'Các cơ quan nhận, khi bị chia | Agencies that took parts, when split';

comment on view core.agency_today is 'Mỗi phiên bản cơ quan và cơ quan hiện nay của nó | Each agency version and its agency of today';
comment on column core.agency_today.agency_sk is 'Cơ quan của ngày phát sinh | Agency of the day of the fact';
comment on column core.agency_today.agency_code is 'Mã định danh khi đó | Its identifier then';
comment on column core.agency_today.today_agency_code is 'Mã định danh cơ quan hiện nay, trống khi bị chia | Identifier of the agency of today, empty when split';
comment on column core.agency_today.today_agency_sk is 'Khóa cơ quan hiện nay; -1 khi bị chia hoặc chưa có trong danh mục | Key of the agency of today; -1 when split or not in the catalogue';
comment on column core.agency_today.today_agency_name is 'Tên cơ quan hiện nay | Name of the agency of today';
comment on column core.agency_today.is_split is 'Nhiệm vụ chia cho nhiều cơ quan | Tasks went to several agencies';
comment on column core.agency_today.main_agency_code is 'Cơ quan nhận phần chính | Agency that took the main part';
comment on column core.agency_today.possible_agencies is 'Các cơ quan nhận, khi bị chia | Agencies that took parts, when split';
comment on column core.agency_today.reason is 'succeeded, split_share_unknown, closed_without_successor; trống khi không đổi | empty when unchanged';

revoke all on function core.refresh_agency_successors() from public;
grant select on core.agency_succession to dx_loader, dx_engineer, dx_analyst;
grant select on core.agency_successor to dx_loader, dx_engineer, dx_analyst;
grant select on core.agency_today to dx_loader, dx_engineer, dx_analyst;
