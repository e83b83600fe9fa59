-- What each day of core.calendar_exception stands on, and which years' calendars are provisional. A year is listed when
-- the one-stop system lists its holidays; confirmed when every day comes from the law, a document or two lists that
-- agree; provisional when one day is not confirmed, or when only weekends are known of it.

-- Grain: one row per day of core.calendar_exception.
create table if not exists core.calendar_source (
    day date not null,
    standing text not null,
    source text not null,
    constraint calendar_source_pkey primary key (day),
    constraint calendar_source_standing_known check (standing in ('law', 'document', 'agreeing', 'provisional'))
);

-- dx:copy core.calendar_source(day, standing, source) from reference/calendar_sources.csv

insert into core.calendar_exception (day, kind, name, basis)
values (
    date '2026-11-24',
    'off',
    'Ngày Văn hóa Việt Nam | Viet Nam Culture Day',
    'Nghị quyết 80-NQ/TW năm 2026 | Resolution 80-NQ/TW of 2026'
)
on conflict (day) do nothing;

-- The history that the view's past is read from.
select ops.keep_history('core.holiday');

create or replace view core.calendar_year with (security_invoker = true) as
with listed as (
    select distinct extract(year from h.holiday_on)::smallint as year
    from core.holiday as h
    where h.closed_on is null
),

own as (
    select
        extract(year from e.day)::smallint as year,
        count(*) filter (where e.kind = 'off') as days_off,
        count(*) filter (where coalesce(s.standing, 'provisional') = 'provisional') as provisional_days,
        string_agg(to_char(e.day, 'DD/MM/YYYY'), ', ' order by e.day)
        filter (where coalesce(s.standing, 'provisional') = 'provisional') as provisional
    from core.calendar_exception as e
    left join core.calendar_source as s on e.day = s.day
    group by extract(year from e.day)::smallint
)

select
    y.year,
    case
        when l.year is not null then 'listed'
        when coalesce(o.days_off, 0) = 0 then 'weekends_only'
        when o.provisional_days > 0 then 'provisional'
        else 'confirmed'
    end as standing,
    case when l.year is null then o.provisional end as provisional_days
from (select distinct d.year from core.dim_date as d where d.full_date is not null) as y
left join listed as l on y.year = l.year
left join own as o on y.year = o.year;

comment on table core.calendar_source is 'Căn cứ đã đối chiếu của từng ngày nghỉ, ngày làm bù | What each day off or worked in exchange was compared with';
comment on column core.calendar_source.day is 'Ngày | Day';
comment on column core.calendar_source.standing is 'law theo luật, document theo văn bản có số, agreeing hai danh sách độc lập khớp nhau, provisional chưa xác nhận | law, document, two agreeing lists, or provisional';
comment on column core.calendar_source.source is 'Nguồn | Source';
comment on view core.calendar_year is 'Lịch làm việc từng năm đã xác nhận hay tạm tính | Whether the calendar of each year is confirmed or provisional';
comment on column core.calendar_year.year is 'Năm | Year';
comment on column core.calendar_year.standing is 'listed hệ thống một cửa có, confirmed đã xác nhận, provisional tạm tính, weekends_only chỉ biết cuối tuần | listed by the one-stop system, confirmed, provisional or weekends only';
comment on column core.calendar_year.provisional_days is 'Các ngày chưa xác nhận | Days not confirmed';

grant select on core.calendar_source to dx_loader, dx_engineer, dx_analyst;
grant select on core.calendar_year to dx_loader, dx_engineer, dx_analyst;
