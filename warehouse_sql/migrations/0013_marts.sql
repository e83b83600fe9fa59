-- Mart tables. How each is computed is told in warehouse_sql/marts/<name>.sql, which refreshes it.

-- Grain: one row per agency and month in which the agency had an open or newly received dossier.
create table if not exists mart.dossier_on_time (
    agency_code text not null,
    month date not null,
    agency_sk integer not null,
    agency_name text not null,
    agency_level text,
    agency_kind text,
    period_end date not null,
    received bigint not null,
    carried_over bigint not null,
    finished bigint not null,
    returned bigint not null,
    in_progress bigint not null,
    paused bigint not null,
    early_local bigint not null,
    on_time_local bigint not null,
    overdue_local bigint not null,
    rate_local numeric,
    received_or_handled bigint not null,
    on_time_766 bigint not null,
    overdue_766 bigint not null,
    not_applicable bigint not null,
    rate_766 numeric,
    stopped_local_only bigint not null,
    overdue_766_only bigint not null,
    overdue_local_only bigint not null,
    differing bigint not null,
    differing_second_supplement bigint not null,
    differing_missing_due bigint not null,
    differing_withdrawn bigint not null,
    differing_supplement_pause bigint not null,
    differing_open_at_period_end bigint not null,
    differing_clock_time bigint not null,
    refreshed_at timestamptz not null,
    primary key (agency_code, month),
    constraint dossier_on_time_balances check (
        carried_over + received = finished + returned + in_progress + paused
    ),
    constraint dossier_on_time_local_complete check (
        carried_over + received = early_local + on_time_local + overdue_local
    ),
    constraint dossier_on_time_766_complete check (
        received_or_handled = on_time_766 + overdue_766 + not_applicable
    ),
    constraint dossier_on_time_populations check (
        carried_over + received = received_or_handled + stopped_local_only
    ),
    constraint dossier_on_time_difference_explained check (
        differing = overdue_766_only + overdue_local_only
        and differing = differing_second_supplement
            + differing_missing_due
            + differing_withdrawn
            + differing_supplement_pause
            + differing_open_at_period_end
            + differing_clock_time
    )
);

-- Grain: one row per stretch of days during which no procedure changed its level.
create table if not exists mart.service_level_on_date (
    valid_from date primary key,
    valid_to date not null,
    partial_count integer not null,
    full_count integer not null,
    info_count integer not null,
    unknown_count integer not null,
    total integer not null,
    refreshed_at timestamptz not null,
    constraint service_level_on_date_validity check (valid_from < valid_to),
    constraint service_level_on_date_total check (
        total = partial_count + full_count + info_count + unknown_count
    )
);

-- How many procedures of each level were in force on a day: select * from mart.service_level_on(date '2024-06-30').
create or replace function mart.service_level_on(day date)
returns table (partial_count integer, full_count integer, info_count integer, unknown_count integer, total integer)
language sql
stable
as $$
    select
        s.partial_count,
        s.full_count,
        s.info_count,
        s.unknown_count,
        s.total
    from mart.service_level_on_date as s
    where day >= s.valid_from and day < s.valid_to
$$;

revoke all on function mart.service_level_on(date) from public;
grant execute on function mart.service_level_on(date) to dx_loader, dx_engineer, dx_analyst, dx_bi;

comment on table mart.dossier_on_time is 'Tỷ lệ giải quyết đúng hạn theo cơ quan và tháng, theo hai cách tính và phần chênh lệch | On-time handling by agency and month, by both rules, with the difference explained';
comment on column mart.dossier_on_time.agency_code is 'Mã định danh cơ quan | Identifier of the agency';
comment on column mart.dossier_on_time.month is 'Tháng báo cáo (ngày đầu tháng, giờ Việt Nam) | Month (its first day, local time)';
comment on column mart.dossier_on_time.agency_sk is 'Khóa phiên bản mới nhất của cơ quan | Key of the latest version of the agency';
comment on column mart.dossier_on_time.agency_name is 'Tên cơ quan | Name of the agency';
comment on column mart.dossier_on_time.agency_level is 'Cấp | Level of government';
comment on column mart.dossier_on_time.agency_kind is 'Loại cơ quan | Kind of agency';
comment on column mart.dossier_on_time.period_end is 'Ngày cuối kỳ: cuối tháng, hoặc ngày dữ liệu với tháng hiện tại | Last day of the period: month end, or the day of the data for the present month';
comment on column mart.dossier_on_time.received is 'Tiếp nhận trong kỳ | Accepted in the period';
comment on column mart.dossier_on_time.carried_over is 'Kỳ trước chuyển sang | Carried over from before';
comment on column mart.dossier_on_time.finished is 'Đã giải quyết trong kỳ (trạng thái 9, 10) | Finished in the period (status 9, 10)';
comment on column mart.dossier_on_time.returned is 'Trả lại trong kỳ: công dân rút (7), từ chối sau tiếp nhận (3) | Returned in the period: withdrawn (7), refused after acceptance (3)';
comment on column mart.dossier_on_time.in_progress is 'Đang giải quyết cuối kỳ | Open at the end of the period';
comment on column mart.dossier_on_time.paused is 'Tạm dừng cuối kỳ: chờ bổ sung (5), chờ nghĩa vụ tài chính (6), dừng xử lý (8) | Paused at the end of the period: supplement (5), financial obligation (6), stopped (8)';
comment on column mart.dossier_on_time.early_local is 'Trước hạn, cách tính địa phương | Early, local rule';
comment on column mart.dossier_on_time.on_time_local is 'Đúng hạn hoặc trong hạn, cách tính địa phương | On time or within time, local rule';
comment on column mart.dossier_on_time.overdue_local is 'Quá hạn, cách tính địa phương | Overdue, local rule';
comment on column mart.dossier_on_time.rate_local is 'Tỷ lệ đúng và trước hạn địa phương (0..1); trống khi mẫu số bằng 0 | Share on time, local rule (0..1); empty when nothing to count';
comment on column mart.dossier_on_time.received_or_handled is 'Tiếp nhận hoặc giải quyết trong kỳ theo Quyết định 766 | Received or handled in the period under Decision 766';
comment on column mart.dossier_on_time.on_time_766 is 'Đúng hạn theo chỉ số 2.1 Quyết định 766 | On time under indicator 2.1 of Decision 766';
comment on column mart.dossier_on_time.overdue_766 is 'Quá hạn theo chỉ số 2.1 Quyết định 766 | Overdue under indicator 2.1 of Decision 766';
comment on column mart.dossier_on_time.not_applicable is 'Không xét được: không hẹn trả và thủ tục không có thời hạn | Cannot be judged: no due date and no time limit';
comment on column mart.dossier_on_time.rate_766 is 'Tỷ lệ đúng hạn theo Quyết định 766 (0..1); trống khi mẫu số bằng 0 | Share on time under Decision 766 (0..1); empty when nothing to count';
comment on column mart.dossier_on_time.stopped_local_only is 'Hồ sơ dừng xử lý từ trước: địa phương còn đếm là tạm dừng, 766 coi đã kết thúc | Stopped before the period: still paused locally, ended under 766';
comment on column mart.dossier_on_time.overdue_766_only is 'Quá hạn theo 766 nhưng không quá hạn theo địa phương | Overdue under 766 but not locally';
comment on column mart.dossier_on_time.overdue_local_only is 'Quá hạn theo địa phương nhưng đúng hạn theo 766 | Overdue locally but on time under 766';
comment on column mart.dossier_on_time.differing is 'Tổng số hồ sơ hai cách tính khác nhau | Dossiers on which the rules differ';
comment on column mart.dossier_on_time.differing_second_supplement is 'Khác do yêu cầu bổ sung hơn một lần | Differs: more than one supplement request';
comment on column mart.dossier_on_time.differing_missing_due is 'Khác do không có ngày hẹn trả | Differs: no due date';
comment on column mart.dossier_on_time.differing_withdrawn is 'Khác do công dân rút hồ sơ, địa phương luôn tính đúng hạn | Differs: withdrawn, always on time locally';
comment on column mart.dossier_on_time.differing_supplement_pause is 'Khác do trừ thời gian bổ sung | Differs: time of the supplement subtracted';
comment on column mart.dossier_on_time.differing_open_at_period_end is 'Khác do cách xét hồ sơ chưa xong cuối kỳ | Differs: dossiers open at the end of the period';
comment on column mart.dossier_on_time.differing_clock_time is 'Khác do so theo giờ hay theo ngày | Differs: compared by time or by day';
comment on column mart.dossier_on_time.refreshed_at is 'Thời điểm tính | Computed at';

comment on table mart.service_level_on_date is 'Số thủ tục theo mức độ dịch vụ trong từng khoảng ngày | Procedures by level of service in each stretch of days';
comment on column mart.service_level_on_date.valid_from is 'Từ ngày | From';
comment on column mart.service_level_on_date.valid_to is 'Đến trước ngày | Until, exclusive';
comment on column mart.service_level_on_date.partial_count is 'Số thủ tục một phần | Partial online services';
comment on column mart.service_level_on_date.full_count is 'Số thủ tục toàn trình | Full online services';
comment on column mart.service_level_on_date.info_count is 'Số thủ tục chỉ cung cấp thông tin | Information only';
comment on column mart.service_level_on_date.unknown_count is 'Số thủ tục chưa rõ mức độ | Level not known';
comment on column mart.service_level_on_date.total is 'Tổng số thủ tục | Procedures in all';
comment on column mart.service_level_on_date.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, delete on mart.dossier_on_time to dx_loader;
grant select on mart.dossier_on_time to dx_engineer, dx_analyst, dx_bi;
grant select, insert, delete on mart.service_level_on_date to dx_loader;
grant select on mart.service_level_on_date to dx_engineer, dx_analyst, dx_bi;
