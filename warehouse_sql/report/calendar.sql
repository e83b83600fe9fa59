-- Years of the period whose days off are not confirmed: deadlines in working days may move by those days.
select
    y.year,
    y.standing,
    y.provisional_days
from core.calendar_year as y
where
    y.year between extract(year from cast(:starts_on as date)) and extract(year from cast(:ends_on as date))
    and y.standing in ('provisional', 'weekends_only')
order by y.year
