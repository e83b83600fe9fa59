-- Electronic identities (định danh điện tử) by commune and month, as the provincial police count them. Counts only: no
-- person is known here. All counts are cumulative: they add up over communes, never over months.

-- Grain: one row per commune and month as a report lists it.
create table if not exists core.fact_eid_month (
    month date not null
        constraint fact_eid_month_is_month check (month = date_trunc('month', month::timestamp)::date),
    district_name text not null,
    commune_name text not null,
    source_commune_code text,
    commune_sk integer not null,
    eligible_residents bigint,
    applications_received bigint,
    issued_level_1 bigint not null,
    issued_level_2 bigint not null,
    activated_level_1 bigint not null,
    activated_level_2 bigint not null,
    organisation_accounts bigint,
    counted_up_to date,
    closed_on date,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_eid_month_pkey primary key (month, district_name, commune_name),
    constraint fact_eid_month_activated_within_issued check (
        activated_level_1 <= issued_level_1 and activated_level_2 <= issued_level_2
    )
);

alter table core.fact_eid_month drop constraint if exists fact_eid_month_commune_fkey;

alter table core.fact_eid_month add constraint fact_eid_month_commune_fkey
foreign key (commune_sk) references core.dim_admin_unit (admin_unit_sk);

-- Grain: one row per commune and month; -1 stands for all rows of the month whose commune was not found.
create table if not exists mart.eid_by_commune_month (
    month date not null,
    commune_sk integer not null,
    commune_code text not null,
    commune_name text not null,
    source_rows bigint not null,
    eligible numeric,
    issued numeric not null,
    activated numeric not null,
    activation_rate numeric(7, 3),
    coverage_rate numeric(7, 3),
    issued_before numeric,
    activated_before numeric,
    is_drop boolean not null,
    refreshed_at timestamptz not null,
    constraint eid_by_commune_month_pkey primary key (month, commune_sk)
);

comment on table core.fact_eid_month is 'Định danh điện tử theo xã và tháng, số lũy kế; không cộng qua các tháng | Electronic identities by commune and month, cumulative; never summed over months';
comment on column core.fact_eid_month.month is 'Tháng báo cáo (ngày đầu tháng) | Month (its first day)';
comment on column core.fact_eid_month.district_name is 'Huyện như báo cáo ghi | District as the report writes it';
comment on column core.fact_eid_month.commune_name is 'Xã như báo cáo ghi | Commune as the report writes it';
comment on column core.fact_eid_month.source_commune_code is 'Mã xã báo cáo ghi, nếu có | Commune code the report gives, if any';
comment on column core.fact_eid_month.commune_sk is 'Xã có hiệu lực cuối tháng; -1: không xác định được | Commune in force at the month''s end; -1: not found';
comment on column core.fact_eid_month.eligible_residents is 'Nhân khẩu từ đủ 14 tuổi | Residents from 14 years on';
comment on column core.fact_eid_month.applications_received is 'Hồ sơ thu nhận, lũy kế | Applications received, cumulative';
comment on column core.fact_eid_month.issued_level_1 is 'Đã cấp mức 1, lũy kế | Issued, level 1, cumulative';
comment on column core.fact_eid_month.issued_level_2 is 'Đã cấp mức 2, lũy kế | Issued, level 2, cumulative';
comment on column core.fact_eid_month.activated_level_1 is 'Đã kích hoạt mức 1, lũy kế | Activated, level 1, cumulative';
comment on column core.fact_eid_month.activated_level_2 is 'Đã kích hoạt mức 2, lũy kế | Activated, level 2, cumulative';
comment on column core.fact_eid_month.organisation_accounts is 'Tài khoản tổ chức, lũy kế | Accounts of organisations, cumulative';
comment on column core.fact_eid_month.counted_up_to is 'Ngày chốt số | Day up to which is counted';
comment on column core.fact_eid_month.closed_on is 'Ngày dòng không còn trong các tệp; trống nếu còn | Day the row left the files; empty while it is there';
comment on column core.fact_eid_month.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column core.fact_eid_month.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.fact_eid_month.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_eid_month.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_eid_month.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table mart.eid_by_commune_month is 'Cấp và kích hoạt định danh điện tử theo xã và tháng | Electronic identities issued and activated by commune and month';
comment on column mart.eid_by_commune_month.month is 'Tháng báo cáo (ngày đầu tháng) | Month (its first day)';
comment on column mart.eid_by_commune_month.commune_sk is 'Xã; -1: các dòng không xác định được xã | Commune; -1: rows whose commune was not found';
comment on column mart.eid_by_commune_month.commune_code is 'Mã xã | Commune code';
comment on column mart.eid_by_commune_month.commune_name is 'Tên xã | Name of the commune';
comment on column mart.eid_by_commune_month.source_rows is 'Số dòng báo cáo | Rows of the report';
comment on column mart.eid_by_commune_month.eligible is 'Nhân khẩu từ đủ 14 tuổi | Residents from 14 years on';
comment on column mart.eid_by_commune_month.issued is 'Hồ sơ đã cấp, lũy kế | Identities issued, cumulative';
comment on column mart.eid_by_commune_month.activated is 'Tài khoản đã kích hoạt, lũy kế | Accounts activated, cumulative';
comment on column mart.eid_by_commune_month.activation_rate is 'Tỷ lệ kích hoạt trên đã cấp, % | Activated per issued, percent';
comment on column mart.eid_by_commune_month.coverage_rate is 'Tỷ lệ đã cấp trên nhân khẩu, % | Issued per resident, percent';
comment on column mart.eid_by_commune_month.issued_before is 'Đã cấp ở báo cáo liền trước | Issued in the report before';
comment on column mart.eid_by_commune_month.activated_before is 'Đã kích hoạt ở báo cáo liền trước | Activated in the report before';
comment on column mart.eid_by_commune_month.is_drop is 'Số lũy kế giảm so với báo cáo liền trước | A cumulative count fell against the report before';
comment on column mart.eid_by_commune_month.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, update on core.fact_eid_month to dx_loader;
grant select on core.fact_eid_month to dx_engineer, dx_analyst;
grant select, insert, delete on mart.eid_by_commune_month to dx_loader;
grant select on mart.eid_by_commune_month to dx_engineer, dx_analyst, dx_bi;
