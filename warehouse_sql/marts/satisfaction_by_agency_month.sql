-- Grain: one row per agency, month (local time) of the rating, and what was rated. A rating counts whether or not the
-- warehouse has its dossier; how many lack one, or were given before its end, is shown.
-- dx:mart name=satisfaction_by_agency_month depends=service_centre.danh_gia_hai_long,one_stop.ho_so,one_stop.groups

delete from mart.satisfaction_by_agency_month;

insert into mart.satisfaction_by_agency_month (
    month,
    agency_sk,
    agency_code,
    agency_name,
    rating_kind_code,
    ratings,
    very_satisfied,
    satisfied,
    dissatisfied,
    satisfaction_rate,
    of_unknown_dossiers,
    before_the_end,
    refreshed_at
)
select
    date_trunc('month', s.rated_on::timestamp)::date as month,
    s.agency_sk,
    a.agency_code,
    a.name as agency_name,
    s.rating_kind_code,
    count(*) as ratings,
    count(*) filter (where s.rating_code = 'rat_hai_long') as very_satisfied,
    count(*) filter (where s.rating_code = 'hai_long') as satisfied,
    count(*) filter (where s.rating_code = 'khong_hai_long') as dissatisfied,
    round(100.0 * count(*) filter (where r.is_satisfied) / nullif(count(r.is_satisfied), 0), 2) as satisfaction_rate,
    count(*) filter (where not s.is_known) as of_unknown_dossiers,
    count(*) filter (where 'danh_gia_truoc_ket_thuc' = any(s.quality_flags)) as before_the_end,
    now() as refreshed_at
from core.satisfaction_checked as s
inner join core.dim_rating as r on s.rating_code = r.rating_code
inner join core.dim_agency as a on s.agency_sk = a.agency_sk
group by
    date_trunc('month', s.rated_on::timestamp)::date,
    s.agency_sk,
    a.agency_code,
    a.name,
    s.rating_kind_code;
