-- Dossiers reduced to what the measures of parts/measured_row.sql ask of them: the temporary view measured_dossier_row,
-- one row per dossier. A mart counts the alike together and a trace keeps each apart, both as measured_dossier.

create temporary view measured_dossier_row as
with event as (
    select
        e.dossier_code,
        e.registered_on,
        bool_or(e.event_kind_sk = 5) as is_sent,
        coalesce(bool_or(e.event_kind_sk = 4 and e.state = 'co_tep'), false) as has_result,
        coalesce(bool_or(e.event_kind_sk = 3 and e.amount_vnd > 0 and e.state <> 'huy_thanh_toan'), false)
            as has_obligation,
        coalesce(
            bool_or(
                e.event_kind_sk = 3 and e.amount_vnd > 0 and e.state = 'da_thanh_toan' and e.method = 'truc-tuyen'
            ),
            false
        ) as is_paid_online
    from core.fact_dossier_event as e
    where e.event_kind_sk in (3, 4, 5) and e.closed_on is null
    group by
        e.dossier_code,
        e.registered_on
)

select
    d.dossier_code,
    d.agency_sk,
    d.procedure_sk,
    d.received_on,
    case
        when d.status_sk in (9, 10)
            then
                (coalesce(d.finished_at, d.returned_at, d.source_updated_at) at time zone 'Asia/Ho_Chi_Minh')::date
    end as finished_on,
    d.channel_sk = 2 as is_online,
    coalesce(d.vneid_verified, false) as is_vneid_verified,
    coalesce(d.has_digitised_component, false) as has_component,
    coalesce(e.is_sent, false) as is_sent,
    coalesce(e.has_result, false) as has_result,
    coalesce(e.has_obligation, false) as has_obligation,
    coalesce(e.is_paid_online, false) as is_paid_online
from core.fact_dossier as d
left join event as e on d.dossier_code = e.dossier_code and d.registered_on = e.registered_on
left join core.duplicate_dossier as x on d.dossier_code = x.dossier_code and d.registered_on = x.registered_on
where d.received_on is not null and d.deleted_at is null and x.dossier_code is null;
