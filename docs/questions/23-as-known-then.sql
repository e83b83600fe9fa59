-- VI: Số hồ sơ tiếp nhận và đã xong theo tháng, như kho biết lúc 08:00 ngày 01/7/2024 và như kho biết bây giờ.
-- EN: Dossiers accepted and done by month, as known at 08:00 on 1 July 2024 and as known now.
-- Role: dx_analyst
-- Records are counted, a dossier under two codes twice. A warehouse filled later knew nothing then: the sandbox shows 0. Put in
-- any instant; a whole report as known then: dx publication as-known dossier_on_time 2024-06 --at ...
with known as (
    select
        'now' as as_of,
        d.received_on,
        d.status_sk
    from core.fact_dossier as d
    where d.received_on between date '2024-01-01' and date '2024-06-30' and d.deleted_at is null
    union all
    select
        'then' as as_of,
        d.received_on,
        d.status_sk
    from core.dossier_as_known(timestamptz '2024-07-01 08:00:00+07') as d
    where d.received_on between date '2024-01-01' and date '2024-06-30' and d.deleted_at is null
)

select
    to_char(k.received_on, 'YYYY-MM') as month,
    count(*) filter (where k.as_of = 'then') as received_as_known_then,
    count(*) filter (where k.as_of = 'now') as received_as_known_now,
    count(*) filter (where k.as_of = 'then' and k.status_sk in (9, 10)) as done_as_known_then,
    count(*) filter (where k.as_of = 'now' and k.status_sk in (9, 10)) as done_as_known_now
from known as k
group by to_char(k.received_on, 'YYYY-MM')
order by month
