-- VI: Chín chỉ số chính của DTI (Quyết định 922): kho có số liệu đầu vào nào, và chỉ số nào chưa có nguồn.
-- EN: The nine main indices of the DTI (Decision 922): which inputs the warehouse has, and which index has no data feed.
-- Role: dx_bi
-- Not an estimate: the 98 component indices, their weights and the last official values are not in the warehouse yet.
with main_index (no, name_vi, name_en, points) as (
    values
    (1, 'Nhận thức số', 'Awareness', 100),
    (2, 'Thể chế số', 'Institutions', 100),
    (3, 'Hạ tầng số', 'Infrastructure', 100),
    (4, 'Nhân lực số', 'Human resources', 100),
    (5, 'An toàn thông tin mạng', 'Cyber security', 100),
    (6, 'Đô thị thông minh', 'Smart city', 0),
    (7, 'Hoạt động chính quyền số', 'Digital government', 200),
    (8, 'Hoạt động kinh tế số', 'Digital economy', 150),
    (9, 'Hoạt động xã hội số', 'Digital society', 150)
),

input as (
    select
        2 as no,
        'tasks of Decision 1982 carried out, %' as input,
        100.0 * sum(m.carried_out) / nullif(sum(m.assigned), 0) as value
    from mart.task_by_lead_agency_month as m
    where m.month = date '2024-06-01' and m.document_no = '1982/QĐ-UBND'
    union all
    select
        3,
        c.input,
        c.value
    from (
        select
            100.0 * sum(m.households_with_internet) / nullif(sum(m.households), 0) as internet,
            100.0 * sum(m.households_with_smartphone) / nullif(sum(m.households), 0) as smartphone
        from mart.infrastructure_by_commune_month as m
        where m.month = date '2024-06-01' and m.commune_sk > 0
    ) as s
    cross join lateral (
        values
        ('households with Internet, %', s.internet),
        ('households with a smartphone, %', s.smartphone)
    ) as c (input, value)
    union all
    select
        4,
        'agencies with digital and security staff, %',
        100.0 * count(*) filter (where m.has_dx_and_security) / nullif(count(*), 0)
    from mart.staff_by_agency_year as m
    where m.year = 2024 and m.is_in_catalogue
    union all
    select
        5,
        'systems with an approved security level, %',
        100.0 * count(*) filter (where m.has_security_level) / nullif(count(*), 0)
    from mart.system_compliance as m
    union all
    select
        7,
        c.input,
        c.value
    from (
        select 100.0 * sum(m.online) / nullif(sum(m.received), 0) as online
        from mart.online_by_agency_month as m
        where m.month between date '2024-01-01' and date '2024-06-01'
    ) as s
    cross join mart.service_level_on(date '2024-06-30') as l
    cross join lateral (
        values
        ('dossiers filed online, %', s.online),
        ('online services that are full, %', 100.0 * l.full_count / nullif(l.full_count + l.partial_count, 0))
    ) as c (input, value)
    union all
    select
        8,
        'enterprises with an electronic identity, %',
        100.0 * sum(m.with_organisation_account) / nullif(sum(m.registered - m.dissolved_now), 0)
    from mart.business_by_commune_year as m
    union all
    select
        9,
        'electronic identities activated, %',
        100.0 * sum(m.activated) / nullif(sum(m.issued), 0)
    from mart.eid_by_commune_month as m
    where m.month = date '2024-06-01' and m.commune_sk > 0
)

select
    x.no,
    x.name_vi,
    x.name_en,
    x.points,
    coalesce(i.input, 'no data feed') as input,
    round(i.value, 2) as value
from main_index as x
left join input as i on x.no = i.no
order by
    x.no,
    i.input
