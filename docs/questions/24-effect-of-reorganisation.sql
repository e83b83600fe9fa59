-- VI: Hồ sơ 2024 theo cơ quan của ngày đó và theo cơ quan tiếp nhận nhiệm vụ sau sắp xếp tháng 3/2025.
-- EN: Dossiers of 2024 by the agency of their day, and by the agency that has its tasks since the reform of March 2025.
-- Role: dx_bi
-- An agency whose tasks went to several is given to none of them. Communes: question 12.
select
    coalesce(m.today_agency_code, nullif(m.reason, '')) as agency_today,
    m.today_agency_name,
    m.possible_agencies,
    m.agency_code as agency_then,
    m.agency_name as name_then,
    sum(m.dossiers) as dossiers,
    sum(sum(m.dossiers)) over (partition by coalesce(m.today_agency_code, nullif(m.reason, ''))) as dossiers_of_agency_today
from mart.dossier_by_agency_today as m
where m.month between date '2024-01-01' and date '2024-06-01' and m.agency_level = 'province'
group by
    m.today_agency_code,
    m.reason,
    m.today_agency_name,
    m.possible_agencies,
    m.agency_code,
    m.agency_name
order by
    agency_today,
    agency_then
