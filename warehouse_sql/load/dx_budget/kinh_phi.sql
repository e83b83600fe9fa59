-- Grain: one stage row is one source of funds of one task in one unit and year; it becomes one row of core.fact_budget.
-- Amounts are turned into đồng by the unit that the row's file gives. The agency is that of the unit on 31 December. A
-- unit that core.budget_unit does not know is loaded under -1 with the flag don_vi_qhns_khong_co, one that is no agency
-- of the province under -2.

-- dx:step merge=infer target=core.dim_agency key=agency_code
select distinct b.agency_code
from stage.dx_budget__kinh_phi as s
inner join core.budget_unit as b on s.ma_don_vi_qhns = b.unit_code
where b.agency_code is not null;

-- dx:step merge=snapshot target=core.fact_budget key=year,unit_code,task_code,source_code ledger
with placed as (
    select
        s.*,
        b.unit_code is null as is_unknown_unit,
        case
            when b.unit_code is null then -1
            when b.agency_code is null then -2
            else coalesce(a.agency_sk, -1)
        end as agency_sk,
        case s.don_vi_tinh
            when 'dong' then 1::numeric
            when 'nghin_dong' then 1000
            when 'trieu_dong' then 1000000
            when 'ty_dong' then 1000000000
        end as factor
    from stage.dx_budget__kinh_phi as s
    left join core.budget_unit as b on s.ma_don_vi_qhns = b.unit_code
    left join core.dim_agency as a
        on
            b.agency_code = a.agency_code
            and make_date(s.nam::integer, 12, 31) >= a.valid_from
            and make_date(s.nam::integer, 12, 31) < a.valid_to
)

select
    p.nam::smallint as year,
    p.ma_don_vi_qhns as unit_code,
    p.ma_nhiem_vu as task_code,
    p.nguon as source_code,
    p.agency_sk,
    p.ma_chuong as chapter_code,
    p.loai_khoan as category_code,
    trim_scale(p.du_toan_giao * p.factor) as allocated_vnd,
    trim_scale(coalesce(p.dieu_chinh, 0) * p.factor) as adjustment_vnd,
    trim_scale(p.da_giai_ngan * p.factor) as disbursed_vnd,
    p.don_vi_tinh as source_unit,
    case
        when p.is_unknown_unit then array_append(p._warnings, 'don_vi_qhns_khong_co')
        else p._warnings
    end as quality_flags,
    hashint8extended(p._row_hash, p.agency_sk) as row_hash
from placed as p;
