-- Field reports (phản ánh hiện trường): what citizens report from the street by the province's app, and how it was
-- handled. Neither the text of a report nor who sent it is known here.

create table if not exists core.dim_report_field (
    field_code text primary key,
    name_vi text not null,
    name_en text not null
);

insert into core.dim_report_field (field_code, name_vi, name_en)
values
('not_applicable', 'Không áp dụng', 'Not applicable'),
('unknown', 'Không xác định', 'Unknown'),
('moi_truong', 'Môi trường', 'Environment'),
('giao_thong', 'Giao thông', 'Traffic'),
('trat_tu_do_thi', 'Trật tự đô thị', 'Urban order'),
('dien_nuoc', 'Điện, nước', 'Electricity and water'),
('y_te', 'Y tế, an toàn thực phẩm', 'Health and food safety'),
('khac', 'Khác', 'Other');

-- Grain: one row per report, as it is now.
create table if not exists core.fact_field_report (
    report_code text primary key,
    field_code text not null,
    received_at timestamptz not null,
    received_on date not null,
    source_commune text not null,
    commune_sk integer not null,
    handler_agency_code text,
    handler_agency_sk integer not null,
    due_on date,
    handled_at timestamptz,
    handled_on date,
    rating smallint
        constraint fact_field_report_rating_known check (rating between 1 and 5),
    closed_on date,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_field_report_handled_after_received check (handled_at >= received_at)
);

alter table core.fact_field_report add constraint fact_field_report_field_fkey
foreign key (field_code) references core.dim_report_field (field_code);
alter table core.fact_field_report add constraint fact_field_report_commune_fkey
foreign key (commune_sk) references core.dim_admin_unit (admin_unit_sk);
alter table core.fact_field_report add constraint fact_field_report_agency_fkey
foreign key (handler_agency_sk) references core.dim_agency (agency_sk);

-- Grain: one row per commune and month (local time) in which reports came; -1 stands for those of no known commune.
create table if not exists mart.field_report_by_commune_month (
    month date not null,
    commune_sk integer not null,
    commune_code text not null,
    commune_name text not null,
    received bigint not null,
    handled_in_time bigint not null,
    handled_late bigint not null,
    handled_without_due_day bigint not null,
    open bigint not null,
    open_overdue bigint not null,
    in_time_rate numeric(6, 2),
    rated bigint not null,
    average_rating numeric(4, 2),
    possible_reposts bigint not null,
    as_of date not null,
    refreshed_at timestamptz not null,
    constraint field_report_by_commune_month_pkey primary key (month, commune_sk)
);

insert into core.dim_source_system (source_system_sk, code, name_vi, name_en)
values
(36, 'field_reports', 'Phản ánh hiện trường', 'Field reports of citizens')
on conflict (source_system_sk) do nothing;

comment on table core.dim_report_field is 'Lĩnh vực phản ánh hiện trường | Field of a field report';
comment on column core.dim_report_field.field_code is 'Mã lĩnh vực | Code of the field';
comment on column core.dim_report_field.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_report_field.name_en is 'Tên tiếng Anh | Name in English';

comment on table core.fact_field_report is 'Phản ánh hiện trường, trạng thái mới nhất | Field reports, as they are now';
comment on column core.fact_field_report.report_code is 'Mã phản ánh | Code of the report';
comment on column core.fact_field_report.field_code is 'Lĩnh vực | Field';
comment on column core.fact_field_report.received_at is 'Thời điểm gửi | Sent at';
comment on column core.fact_field_report.received_on is 'Ngày gửi (giờ Việt Nam) | Day it was sent (local)';
comment on column core.fact_field_report.source_commune is 'Xã như nguồn ghi: mã, hoặc tên và huyện | Commune as the source writes it: code, or name and district';
comment on column core.fact_field_report.commune_sk is 'Xã có hiệu lực ngày gửi; -1: không xác định được | Commune in force that day; -1: not found';
comment on column core.fact_field_report.handler_agency_code is 'Mã cơ quan xử lý; trống: chưa giao | Identifier of the handling agency; empty: not assigned yet';
comment on column core.fact_field_report.handler_agency_sk is 'Cơ quan xử lý; -1: không rõ, -2: chưa giao | Handling agency; -1 unknown, -2 not assigned yet';
comment on column core.fact_field_report.due_on is 'Hạn xử lý | Due day';
comment on column core.fact_field_report.handled_at is 'Thời điểm xử lý xong | Handled at';
comment on column core.fact_field_report.handled_on is 'Ngày xử lý xong (giờ Việt Nam) | Day it was handled (local)';
comment on column core.fact_field_report.rating is 'Điểm của người dân, 1 đến 5 | The citizen''s rating, 1 to 5';
comment on column core.fact_field_report.closed_on is 'Ngày phản ánh không còn ở nguồn; trống nếu còn | Day the report left the source; empty while it is there';
comment on column core.fact_field_report.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column core.fact_field_report.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.fact_field_report.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_field_report.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_field_report.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table mart.field_report_by_commune_month is 'Phản ánh hiện trường theo xã và tháng gửi | Field reports by commune and month of sending';
comment on column mart.field_report_by_commune_month.month is 'Tháng gửi (ngày đầu tháng) | Month of sending (its first day)';
comment on column mart.field_report_by_commune_month.commune_sk is 'Xã; -1: không xác định được | Commune; -1: not found';
comment on column mart.field_report_by_commune_month.commune_code is 'Mã xã | Commune code';
comment on column mart.field_report_by_commune_month.commune_name is 'Tên xã | Name of the commune';
comment on column mart.field_report_by_commune_month.received is 'Số phản ánh | Reports';
comment on column mart.field_report_by_commune_month.handled_in_time is 'Xử lý xong đúng hạn (so theo ngày) | Handled by the due day';
comment on column mart.field_report_by_commune_month.handled_late is 'Xử lý xong quá hạn | Handled after the due day';
comment on column mart.field_report_by_commune_month.handled_without_due_day is 'Xử lý xong, không có hạn | Handled, no due day';
comment on column mart.field_report_by_commune_month.open is 'Chưa xử lý xong | Still open';
comment on column mart.field_report_by_commune_month.open_overdue is 'Chưa xử lý xong và đã quá hạn vào ngày as_of | Still open and past the due day on as_of';
comment on column mart.field_report_by_commune_month.in_time_rate is 'Đúng hạn trên số xử lý xong có hạn, % | In time of those handled that have a due day, percent';
comment on column mart.field_report_by_commune_month.rated is 'Số phản ánh được chấm điểm | Reports that were rated';
comment on column mart.field_report_by_commune_month.average_rating is 'Điểm trung bình, 1 đến 5 | Average rating, 1 to 5';
comment on column mart.field_report_by_commune_month.possible_reposts is 'Có thể bị gửi lại (cùng thời điểm, xã, lĩnh vực); vẫn được đếm | Perhaps sent twice (same second, commune, field); they are counted';
comment on column mart.field_report_by_commune_month.as_of is 'Ngày mới nhất dữ liệu biết đến | Latest day the data knows of';
comment on column mart.field_report_by_commune_month.refreshed_at is 'Thời điểm tính | Computed at';

grant select on core.dim_report_field to dx_loader, dx_engineer, dx_analyst;
grant select, insert, update on core.fact_field_report to dx_loader;
grant select on core.fact_field_report to dx_engineer, dx_analyst;
grant select, insert, delete on mart.field_report_by_commune_month to dx_loader;
grant select on mart.field_report_by_commune_month to dx_engineer, dx_analyst, dx_bi;
