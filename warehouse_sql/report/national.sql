-- The province's records beside what it sent to the national portal.
select
    g.accepted,
    g.done,
    g.sent,
    g.sent_as_done,
    g.done_not_sent,
    g.done_sent_otherwise,
    g.supplement_sent_as_done,
    g.payment_sent_as_done,
    g.stopped_sent_as_done,
    g.other_sent_as_done,
    g.with_obligation,
    g.paid_online,
    g.flagged_online,
    g.cash_flagged_online,
    g.other_flagged_online,
    g.online_not_flagged
from mart.national_gap as g
where g.scope = 'province' and g.period = :period
