-- Dossiers alike in all that decides a verdict, counted together: the temporary table on_time_group.

-- The planner cannot guess how few groups there are, and would sort instead of hash.
set local enable_sort = off;

-- dx:tally adds=dossiers clock=on_time_period dossier=n.dossier_code,n.registered_on moments=received_in,ended_in,overdue_in,extended_overdue_in,local_overdue_in,asked_in,answered_in,asked_again_in,last_asked_in,last_answered_in,paused_in rebuilt_by=one_stop.thu_tuc,one_stop.thay_doi_muc_do_thu_tuc,one_stop.ngay_nghi
create temporary table on_time_group on commit drop as
select
    n.agency_sk,
    n.ended_status,
    n.has_due,
    n.received_in,
    n.ended_in,
    n.overdue_in,
    n.extended_overdue_in,
    n.local_overdue_in,
    n.asked_in,
    n.answered_in,
    n.asked_again_in,
    n.last_asked_in,
    n.last_answered_in,
    n.paused_in,
    n.ended_in_time,
    n.ended_in_extended_time,
    n.asked_in_time,
    n.ended_before_due_day,
    n.ended_after_due_day,
    n.asked_after_due_day,
    n.last_asked_after_due_day,
    n.paused_after_due_day,
    count(*) as dossiers
from on_time_numbered as n
group by
    n.agency_sk,
    n.ended_status,
    n.has_due,
    n.received_in,
    n.ended_in,
    n.overdue_in,
    n.extended_overdue_in,
    n.local_overdue_in,
    n.asked_in,
    n.answered_in,
    n.asked_again_in,
    n.last_asked_in,
    n.last_answered_in,
    n.paused_in,
    n.ended_in_time,
    n.ended_in_extended_time,
    n.asked_in_time,
    n.ended_before_due_day,
    n.ended_after_due_day,
    n.asked_after_due_day,
    n.last_asked_after_due_day,
    n.paused_after_due_day;

set local enable_sort = on;
