-- Marts of the one-stop system for the questions people ask most: what is late now, where dossiers wait, what is filed
-- and paid online. Each dossier counts once, deleted ones not at all.

-- Grain: one row per agency and field with an accepted dossier still open, as of the latest moment the data knows.
create table if not exists mart.dossier_late_now (
    agency_code text not null,
    agency_sk integer not null,
    agency_name text not null,
    agency_level text,
    agency_kind text,
    field_code text not null,
    field_name text not null,
    as_of timestamptz not null,
    open bigint not null,
    paused bigint not null,
    overdue bigint not null,
    overdue_over_30_days bigint not null,
    overdue_days bigint not null,
    overdue_days_max integer,
    oldest_due_on date,
    oldest_received_on date,
    oldest_dossier_code text,
    due_in_3_working_days bigint not null,
    without_due bigint not null,
    refreshed_at timestamptz not null,
    constraint dossier_late_now_pkey primary key (agency_code, field_code)
);

comment on table mart.dossier_late_now is 'Hồ sơ đang mở, quá hạn và sắp đến hạn theo cơ quan và lĩnh vực, tại thời điểm mới nhất của dữ liệu | Open, overdue and soon due dossiers by agency and field, at the latest moment the data knows';
comment on column mart.dossier_late_now.agency_code is 'Mã định danh cơ quan | Identifier of the agency';
comment on column mart.dossier_late_now.agency_sk is 'Khóa phiên bản mới nhất của cơ quan | Key of the latest version of the agency';
comment on column mart.dossier_late_now.agency_name is 'Tên cơ quan | Name of the agency';
comment on column mart.dossier_late_now.agency_level is 'Cấp | Level of government';
comment on column mart.dossier_late_now.agency_kind is 'Loại cơ quan | Kind of agency';
comment on column mart.dossier_late_now.field_code is 'Mã lĩnh vực | Code of the field';
comment on column mart.dossier_late_now.field_name is 'Tên lĩnh vực | Name of the field';
comment on column mart.dossier_late_now.as_of is 'Thời điểm của dữ liệu | Moment of the data';
comment on column mart.dossier_late_now.open is 'Đang xử lý (trạng thái 2, 4) | Being handled (status 2, 4)';
comment on column mart.dossier_late_now.paused is 'Chờ công dân: bổ sung (5), nghĩa vụ tài chính (6); không tính là quá hạn | Waiting for the citizen: supplement (5), payment (6); not counted as overdue';
comment on column mart.dossier_late_now.overdue is 'Đang xử lý và đã quá hạn, hạn đã cộng thời gian bổ sung | Being handled and past due, the time of supplements added to the due date';
comment on column mart.dossier_late_now.overdue_over_30_days is 'Quá hạn hơn 30 ngày | Overdue by more than 30 days';
comment on column mart.dossier_late_now.overdue_days is 'Tổng số ngày quá hạn (ngày lịch) | Days overdue, summed (calendar days)';
comment on column mart.dossier_late_now.overdue_days_max is 'Số ngày quá hạn lớn nhất (ngày lịch) | Most days overdue (calendar days)';
comment on column mart.dossier_late_now.oldest_due_on is 'Ngày hạn của hồ sơ quá hạn lâu nhất | Due day of the dossier overdue for longest';
comment on column mart.dossier_late_now.oldest_received_on is 'Ngày tiếp nhận của hồ sơ đó | Day that dossier was accepted';
comment on column mart.dossier_late_now.oldest_dossier_code is 'Mã của hồ sơ đó | Code of that dossier';
comment on column mart.dossier_late_now.due_in_3_working_days is 'Đang xử lý và đến hạn trong 3 ngày làm việc tới | Being handled and due within the next 3 working days';
comment on column mart.dossier_late_now.without_due is 'Đang xử lý, không hẹn trả và thủ tục không có thời hạn | Being handled, without due date and time limit';
comment on column mart.dossier_late_now.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, delete on mart.dossier_late_now to dx_loader;
grant select on mart.dossier_late_now to dx_engineer, dx_analyst, dx_bi;

-- Grain: one row per period (month or year in which the step ended), agency or the whole province, unit and status
-- the step ended with.
create table if not exists mart.waiting_by_step (
    period_kind text not null,
    period date not null,
    scope text not null,
    agency_code text not null,
    agency_name text not null,
    unit_name text not null,
    step_status smallint not null,
    step_status_name text not null,
    steps bigint not null,
    late_steps bigint not null,
    days_total numeric not null,
    mean_days numeric not null,
    median_days numeric not null,
    p90_days numeric not null,
    paused_days_total numeric not null,
    refreshed_at timestamptz not null,
    constraint waiting_by_step_pkey primary key (period_kind, period, agency_code, unit_name, step_status)
);

comment on table mart.waiting_by_step is 'Thời gian chờ ở từng bước xử lý, đã trừ thời gian chờ công dân bổ sung; không cộng dòng tháng với dòng năm, dòng tỉnh với dòng cơ quan | Time dossiers wait at each processing step, without the time in the citizen''s hands; never add month to year rows, or rows of the province to rows of agencies';
comment on column mart.waiting_by_step.period_kind is 'Loại kỳ: month tháng, year năm | Kind of period: month, year';
comment on column mart.waiting_by_step.period is 'Ngày đầu kỳ | First day of the period';
comment on column mart.waiting_by_step.scope is 'Phạm vi: province toàn tỉnh, agency một cơ quan | Scope: province, agency';
comment on column mart.waiting_by_step.agency_code is 'Mã định danh cơ quan; * là toàn tỉnh | Identifier of the agency; * for the whole province';
comment on column mart.waiting_by_step.agency_name is 'Tên cơ quan | Name of the agency';
comment on column mart.waiting_by_step.unit_name is 'Phòng, ban thực hiện bước | Unit that did the step';
comment on column mart.waiting_by_step.step_status is 'Trạng thái hồ sơ khi bước kết thúc | Status of the dossier when the step ended';
comment on column mart.waiting_by_step.step_status_name is 'Tên trạng thái | Name of the status';
comment on column mart.waiting_by_step.steps is 'Số bước đã xong | Steps done';
comment on column mart.waiting_by_step.late_steps is 'Số bước xong sau hạn của bước | Steps done after their own due time';
comment on column mart.waiting_by_step.days_total is 'Tổng số ngày (ngày lịch), đã trừ thời gian của công dân | Days in all (calendar days), without the citizen''s time';
comment on column mart.waiting_by_step.mean_days is 'Số ngày trung bình | Mean days';
comment on column mart.waiting_by_step.median_days is 'Trung vị số ngày, đến 0,1 ngày | Median days, to 0.1 day';
comment on column mart.waiting_by_step.p90_days is 'Số ngày mà 90 % số bước không vượt quá, đến 0,1 ngày | 90th percentile of the days, to 0.1 day';
comment on column mart.waiting_by_step.paused_days_total is 'Số ngày chờ công dân bổ sung, đã trừ ra | Days in the citizen''s hands, taken off';
comment on column mart.waiting_by_step.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, delete on mart.waiting_by_step to dx_loader;
grant select on mart.waiting_by_step to dx_engineer, dx_analyst, dx_bi;

-- Grain: one row per commune of the applicant and month of acceptance; -1 is what led to no commune.
create table if not exists mart.online_by_commune_month (
    commune_sk integer not null,
    commune_code text not null,
    commune_name text not null,
    district_name text,
    month date not null,
    received bigint not null,
    online bigint not null,
    at_counter bigint not null,
    by_post bigint not null,
    channel_unknown bigint not null,
    online_rate numeric,
    received_online_service bigint not null,
    full_service_online bigint not null,
    through_national_portal bigint not null,
    vneid_verified bigint not null,
    refreshed_at timestamptz not null,
    constraint online_by_commune_month_pkey primary key (commune_sk, month)
);

comment on table mart.online_by_commune_month is 'Hồ sơ nộp trực tuyến theo xã của người nộp và tháng tiếp nhận | Dossiers filed online, by commune of the applicant and month of acceptance';
comment on column mart.online_by_commune_month.commune_sk is 'Xã, -1 không xác định | Commune, -1 not known';
comment on column mart.online_by_commune_month.commune_code is 'Mã xã | Code of the commune';
comment on column mart.online_by_commune_month.commune_name is 'Tên xã | Name of the commune';
comment on column mart.online_by_commune_month.district_name is 'Tên huyện | Name of the district';
comment on column mart.online_by_commune_month.month is 'Tháng (ngày đầu tháng, giờ Việt Nam) | Month (its first day, local time)';
comment on column mart.online_by_commune_month.received is 'Hồ sơ tiếp nhận | Dossiers accepted';
comment on column mart.online_by_commune_month.online is 'Nộp trực tuyến | Filed online';
comment on column mart.online_by_commune_month.at_counter is 'Nộp trực tiếp | Filed at the counter';
comment on column mart.online_by_commune_month.by_post is 'Nộp qua bưu chính công ích | Filed by public post';
comment on column mart.online_by_commune_month.channel_unknown is 'Nguồn để trống kênh; Quyết định 766 coi là trực tiếp | Channel left empty; at the counter under Decision 766';
comment on column mart.online_by_commune_month.online_rate is 'Tỷ lệ nộp trực tuyến, % | Share filed online, %';
comment on column mart.online_by_commune_month.received_online_service is 'Hồ sơ của thủ tục toàn trình hoặc một phần khi nộp | Dossiers of services that were online in full or in part when filed';
comment on column mart.online_by_commune_month.full_service_online is 'Nộp trực tuyến, dịch vụ toàn trình | Filed online with a full online service';
comment on column mart.online_by_commune_month.through_national_portal is 'Nộp qua Cổng Dịch vụ công quốc gia | Filed through the national portal';
comment on column mart.online_by_commune_month.vneid_verified is 'Tài khoản xác thực qua VNeID | Account verified through VNeID';
comment on column mart.online_by_commune_month.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, delete on mart.online_by_commune_month to dx_loader;
grant select on mart.online_by_commune_month to dx_engineer, dx_analyst, dx_bi;

-- Grain: one row per agency and month in which it accepted a dossier.
create table if not exists mart.online_by_agency_month (
    agency_code text not null,
    agency_sk integer not null,
    agency_name text not null,
    agency_level text,
    agency_kind text,
    month date not null,
    received bigint not null,
    online bigint not null,
    online_rate numeric,
    with_obligation bigint not null,
    paid bigint not null,
    paid_online bigint not null,
    online_payment_rate numeric,
    flagged_online bigint not null,
    flagged_not_online bigint not null,
    flagged_but_cash bigint not null,
    not_flagged_but_online bigint not null,
    amount_vnd bigint not null,
    amount_online_vnd bigint not null,
    amount_cash_vnd bigint not null,
    amount_transfer_vnd bigint not null,
    amount_refunded_vnd bigint not null,
    refreshed_at timestamptz not null,
    constraint online_by_agency_month_pkey primary key (agency_code, month)
);

comment on table mart.online_by_agency_month is 'Nộp và thanh toán trực tuyến theo cơ quan và tháng tiếp nhận; thanh toán tính lại từ hình thức của từng lần thu, không từ cờ của nguồn | Filing and payment online, by agency and month of acceptance; payment from the method of each payment, not from the flag of the source';
comment on column mart.online_by_agency_month.agency_code is 'Mã định danh cơ quan | Identifier of the agency';
comment on column mart.online_by_agency_month.agency_sk is 'Khóa phiên bản mới nhất của cơ quan | Key of the latest version of the agency';
comment on column mart.online_by_agency_month.agency_name is 'Tên cơ quan | Name of the agency';
comment on column mart.online_by_agency_month.agency_level is 'Cấp | Level of government';
comment on column mart.online_by_agency_month.agency_kind is 'Loại cơ quan | Kind of agency';
comment on column mart.online_by_agency_month.month is 'Tháng (ngày đầu tháng, giờ Việt Nam) | Month (its first day, local time)';
comment on column mart.online_by_agency_month.received is 'Hồ sơ tiếp nhận | Dossiers accepted';
comment on column mart.online_by_agency_month.online is 'Nộp trực tuyến (kênh 2) | Filed online (channel 2)';
comment on column mart.online_by_agency_month.online_rate is 'Tỷ lệ nộp trực tuyến, % | Share filed online, %';
comment on column mart.online_by_agency_month.with_obligation is 'Hồ sơ có khoản phải nộp lớn hơn 0, chưa hủy | Dossiers with an amount above 0 to pay that was not cancelled';
comment on column mart.online_by_agency_month.paid is 'Hồ sơ đã nộp tiền | Dossiers paid';
comment on column mart.online_by_agency_month.paid_online is 'Hồ sơ đã nộp trực tuyến (hình thức truc-tuyen) | Dossiers paid online (method truc-tuyen)';
comment on column mart.online_by_agency_month.online_payment_rate is 'Tỷ lệ nộp trực tuyến trên hồ sơ có nghĩa vụ, % | Paid online among those with an obligation, %';
comment on column mart.online_by_agency_month.flagged_online is 'Hồ sơ mà nguồn đánh dấu thanh toán trực tuyến | Dossiers the source flags as paid online';
comment on column mart.online_by_agency_month.flagged_not_online is 'Đánh dấu trực tuyến nhưng không có lần thu trực tuyến nào | Flagged as online without any online payment';
comment on column mart.online_by_agency_month.flagged_but_cash is 'Trong đó đã nộp tiền mặt | Of these, paid in cash';
comment on column mart.online_by_agency_month.not_flagged_but_online is 'Đã nộp trực tuyến nhưng không được đánh dấu | Paid online but not flagged';
comment on column mart.online_by_agency_month.amount_vnd is 'Số tiền đã thu, đồng | Amount taken, đồng';
comment on column mart.online_by_agency_month.amount_online_vnd is 'Thu trực tuyến, đồng | Taken online, đồng';
comment on column mart.online_by_agency_month.amount_cash_vnd is 'Thu tiền mặt, đồng | Taken in cash, đồng';
comment on column mart.online_by_agency_month.amount_transfer_vnd is 'Thu chuyển khoản, đồng | Taken by transfer, đồng';
comment on column mart.online_by_agency_month.amount_refunded_vnd is 'Đã hoàn, không nằm trong số đã thu, đồng | Refunded, not part of the amount taken, đồng';
comment on column mart.online_by_agency_month.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, delete on mart.online_by_agency_month to dx_loader;
grant select on mart.online_by_agency_month to dx_engineer, dx_analyst, dx_bi;
