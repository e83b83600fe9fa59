-- VI: Bao nhiêu thủ tục toàn trình, một phần vào ngày 30/6/2024 và thủ tục nào đổi mức độ trong quý II/2024?
-- EN: How many procedures were full and partial on 30 June 2024, and which changed level in the second quarter?
-- Role: dx_analyst
-- Levels: 4 full, 3 partial, 2 information only.
select
    s.full_count,
    s.partial_count,
    p.procedure_code,
    p.name,
    before.service_level as level_before,
    p.service_level as level_after,
    p.valid_from as changed_on
from mart.service_level_on(date '2024-06-30') as s
left join core.dim_procedure as p on p.valid_from > date '2024-03-31' and p.valid_from <= date '2024-06-30'
left join core.dim_procedure as before
    on p.procedure_code = before.procedure_code and p.valid_from = before.valid_to and before.valid_from < before.valid_to
where p.procedure_sk is null or before.service_level is distinct from p.service_level
order by
    p.valid_from,
    p.procedure_code
