-- Working Saturdays and days off as data. The one-stop system lists days off only, so a Saturday worked in exchange
-- for a Monday off (4 May 2024) would stay a weekend. Days off of this list count for years of which the one-stop
-- system lists none; where it lists some, its list stands.

-- Grain: one row per day that is not what its weekday says.
create table if not exists core.calendar_exception (
    day date not null,
    kind text not null,
    name text not null,
    basis text not null,
    constraint calendar_exception_pkey primary key (day),
    constraint calendar_exception_kind_known check (kind in ('off', 'work'))
);

-- dx:copy core.calendar_exception(day, kind, name, basis) from reference/calendar_exceptions.csv

-- Brings holidays and exceptions into dim_date and renumbers the working days. Returns the days that changed.
create or replace function core.refresh_working_days()
returns bigint
language sql
as $$
    with listed_year as (
        select distinct extract(year from h.holiday_on)::smallint as year
        from core.holiday as h
        where h.closed_on is null
    ),

    judged as (
        select
            d.date_key,
            d.full_date,
            h.holiday_on is not null or coalesce(e.kind = 'off' and y.year is null, false) as is_holiday,
            coalesce(h.name, case when e.kind = 'work' or y.year is null then e.name end) as holiday_name,
            case
                when e.kind = 'work' then true
                when e.kind = 'off' and y.year is null then false
                else not d.is_weekend and h.holiday_on is null
            end as is_working_day
        from core.dim_date as d
        left join core.holiday as h on d.full_date = h.holiday_on and h.closed_on is null
        left join core.calendar_exception as e on d.full_date = e.day
        left join listed_year as y on d.year = y.year
        where d.full_date is not null
    ),

    day as (
        select
            j.*,
            (count(*) filter (where j.is_working_day) over (order by j.full_date))::integer as working_day_number
        from judged as j
    ),

    changed as (
        update core.dim_date as d
        set
            is_holiday = day.is_holiday,
            holiday_name = day.holiday_name,
            is_working_day = day.is_working_day,
            working_day_number = day.working_day_number
        from day
        where
            day.date_key = d.date_key
            and (
                day.is_holiday is distinct from d.is_holiday
                or day.holiday_name is distinct from d.holiday_name
                or day.is_working_day is distinct from d.is_working_day
                or day.working_day_number is distinct from d.working_day_number
            )
        returning 1
    )

    select count(*) from changed
$$;

comment on table core.calendar_exception is 'Ngày làm bù và ngày nghỉ không có trong danh sách của hệ thống một cửa | Days worked in exchange, and days off that the one-stop system does not list';
comment on column core.calendar_exception.day is 'Ngày | Day';
comment on column core.calendar_exception.kind is 'work làm việc, off nghỉ | work or off';
comment on column core.calendar_exception.name is 'Tên ngày | Name of the day';
comment on column core.calendar_exception.basis is 'Căn cứ | Legal basis';

grant select on core.calendar_exception to dx_loader, dx_engineer, dx_analyst;
