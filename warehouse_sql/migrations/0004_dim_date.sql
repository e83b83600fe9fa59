-- Grain: one row per calendar day 1990-01-01 .. 2035-12-31, plus -1 unknown and -2 not applicable.
-- Working days: Monday to Friday that are no public holiday; the holidays come from core.holiday.

create table if not exists core.holiday (
    holiday_on date primary key,
    name text,
    closed_on date,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null
);

create table if not exists core.dim_date (
    date_key integer primary key,
    full_date date unique,
    year smallint,
    half smallint,
    quarter smallint,
    month smallint,
    month_start date,
    month_end date,
    day_of_month smallint,
    iso_year smallint,
    iso_week smallint,
    weekday smallint,
    weekday_name text not null,
    is_weekend boolean,
    is_holiday boolean,
    holiday_name text,
    is_working_day boolean,
    working_day_number integer
);

insert into core.dim_date (
    date_key,
    full_date,
    year,
    half,
    quarter,
    month,
    month_start,
    month_end,
    day_of_month,
    iso_year,
    iso_week,
    weekday,
    weekday_name,
    is_weekend,
    is_holiday,
    is_working_day,
    working_day_number
)
select
    to_char(d.day, 'YYYYMMDD')::integer as date_key,
    d.day::date as full_date,
    extract(year from d.day)::smallint as year,
    (case when extract(month from d.day) <= 6 then 1 else 2 end)::smallint as half,
    extract(quarter from d.day)::smallint as quarter,
    extract(month from d.day)::smallint as month,
    date_trunc('month', d.day)::date as month_start,
    (date_trunc('month', d.day) + interval '1 month' - interval '1 day')::date as month_end,
    extract(day from d.day)::smallint as day_of_month,
    extract(isoyear from d.day)::smallint as iso_year,
    extract(week from d.day)::smallint as iso_week,
    extract(isodow from d.day)::smallint as weekday,
    (array[
        'Thứ Hai | Monday',
        'Thứ Ba | Tuesday',
        'Thứ Tư | Wednesday',
        'Thứ Năm | Thursday',
        'Thứ Sáu | Friday',
        'Thứ Bảy | Saturday',
        'Chủ Nhật | Sunday'
    ])[extract(isodow from d.day)::integer] as weekday_name,
    extract(isodow from d.day) >= 6 as is_weekend,
    false as is_holiday,
    extract(isodow from d.day) < 6 as is_working_day,
    count(*) filter (where extract(isodow from d.day) < 6) over (order by d.day) as working_day_number
from generate_series(timestamp '1990-01-01', timestamp '2035-12-31', interval '1 day') as d (day);

insert into core.dim_date (date_key, weekday_name)
values
(-1, 'Không xác định | Unknown'),
(-2, 'Không áp dụng | Not applicable');

-- Brings the holidays of core.holiday into dim_date and renumbers the working days. Returns the days that changed.
create or replace function core.refresh_working_days()
returns bigint
language sql
as $$
    with day as (
        select
            d.date_key,
            h.holiday_on is not null as is_holiday,
            h.name as holiday_name,
            not d.is_weekend and h.holiday_on is null as is_working_day,
            (count(*) filter (where not d.is_weekend and h.holiday_on is null) over (order by d.full_date))::integer
                as working_day_number
        from core.dim_date as d
        left join core.holiday as h on h.holiday_on = d.full_date and h.closed_on is null
        where d.full_date is not null
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

revoke all on function core.refresh_working_days() from public;
grant execute on function core.refresh_working_days() to dx_loader;

comment on table core.holiday is 'Ngày nghỉ lễ do hệ thống một cửa công bố | Public holidays as the one-stop system lists them';
comment on column core.holiday.holiday_on is 'Ngày nghỉ | Day off';
comment on column core.holiday.name is 'Tên ngày nghỉ | Name of the holiday';
comment on column core.holiday.closed_on is 'Ngày bị xóa khỏi danh sách nguồn | Day it vanished from the source list';
comment on column core.holiday.row_hash is 'Băm nội dung dòng | Hash of the content of the row';
comment on column core.holiday.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.holiday.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.holiday.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table core.dim_date is 'Chiều ngày, kèm ngày làm việc và ngày lễ Việt Nam | Calendar days with Vietnamese working days and holidays';
comment on column core.dim_date.date_key is 'Khóa ngày yyyymmdd; -1 không xác định, -2 không áp dụng | Key yyyymmdd; -1 unknown, -2 not applicable';
comment on column core.dim_date.full_date is 'Ngày | Day';
comment on column core.dim_date.year is 'Năm | Year';
comment on column core.dim_date.half is 'Nửa năm (1, 2) | Half of the year';
comment on column core.dim_date.quarter is 'Quý | Quarter';
comment on column core.dim_date.month is 'Tháng | Month';
comment on column core.dim_date.month_start is 'Ngày đầu tháng | First day of the month';
comment on column core.dim_date.month_end is 'Ngày cuối tháng | Last day of the month';
comment on column core.dim_date.day_of_month is 'Ngày trong tháng | Day of the month';
comment on column core.dim_date.iso_year is 'Năm ISO của tuần | ISO year of the week';
comment on column core.dim_date.iso_week is 'Tuần ISO | ISO week';
comment on column core.dim_date.weekday is 'Thứ trong tuần, 1 là thứ Hai | Day of the week, 1 is Monday';
comment on column core.dim_date.weekday_name is 'Tên thứ | Name of the weekday';
comment on column core.dim_date.is_weekend is 'Thứ Bảy hoặc Chủ Nhật | Saturday or Sunday';
comment on column core.dim_date.is_holiday is 'Ngày nghỉ lễ | Public holiday';
comment on column core.dim_date.holiday_name is 'Tên ngày lễ | Name of the holiday';
comment on column core.dim_date.is_working_day is 'Ngày làm việc | Working day';
comment on column core.dim_date.working_day_number is 'Số thứ tự lũy kế của ngày làm việc; hiệu của hai ngày là số ngày làm việc giữa chúng | Running number of the working day; the difference of two days is the working days between them';

grant select, insert, update, delete on core.holiday to dx_loader;
grant select on core.holiday to dx_engineer, dx_analyst;
grant select, insert, update on core.dim_date to dx_loader;
grant select on core.dim_date to dx_engineer, dx_analyst;
