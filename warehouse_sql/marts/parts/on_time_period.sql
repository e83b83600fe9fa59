-- Months up to the latest moment the data knows: the temporary tables on_time_period and on_time_clock.
-- Needs parts/dossier_clock.sql.
--
-- Periods, numbered from 1. "The period in which something has happened" is one more than the number of periods that
-- ended before it, which width_bucket finds.
create temporary table on_time_period on commit drop as
with clock as (
    select least(d.latest_at, now()) as as_of
    from dossier_clock as d
)

select
    row_number() over (order by m.month)::integer as period,
    m.month::date as month,
    least(
        (m.month + interval '1 month' - interval '1 day')::date,
        (c.as_of at time zone 'Asia/Ho_Chi_Minh')::date
    ) as last_day,
    least((m.month + interval '1 month') at time zone 'Asia/Ho_Chi_Minh', c.as_of + interval '1 microsecond')
        as ends_before
from clock as c
cross join lateral generate_series(
    timestamp '1990-01-01',
    c.as_of at time zone 'Asia/Ho_Chi_Minh',
    interval '1 month'
) as m (month);

-- Stored plain: a compressed array would be unpacked at every look-up.
create temporary table on_time_clock (
    months date[],
    last_days date[],
    ends_before timestamptz[]
)
on commit drop;

alter table on_time_clock alter column months set storage plain;
alter table on_time_clock alter column last_days set storage plain;
alter table on_time_clock alter column ends_before set storage plain;

insert into on_time_clock (months, last_days, ends_before)
select
    array_agg(p.month order by p.period) as months,
    array_agg(p.last_day order by p.period) as last_days,
    array_agg(p.ends_before order by p.period) as ends_before
from on_time_period as p;
