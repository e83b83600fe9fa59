-- Scores: what each set gives each unit in each period, component by component, and the rank within the peer group.

-- Grain: one row per set, component (* is the whole set), scope, unit and period.
create table if not exists mart.indicator_score (
    set_code text not null,
    component_code text not null,
    component_number text,
    measure text,
    scope text not null,
    unit_code text not null,
    unit_name text not null,
    peer_group text,
    period_kind text not null,
    period text not null,
    starts_on date not null,
    ends_on date not null,
    numerator numeric,
    denominator numeric,
    factor numeric,
    rate numeric,
    target numeric,
    max_points numeric,
    score numeric,
    points_lost numeric,
    percent numeric,
    status text not null,
    place integer,
    peers integer,
    tied integer,
    set_revision integer not null,
    refreshed_at timestamptz not null,
    constraint indicator_score_pkey primary key (set_code, component_code, scope, unit_code, period),
    constraint indicator_score_status_known check (
        status in ('scored', 'followed', 'not_applicable', 'not_ranked', 'excluded')
    )
);
create index if not exists indicator_score_by_period on mart.indicator_score (period, set_code, scope);

-- Grain: one row per scope, unit and period: the province's own records beside what it sent to the national portal.
create table if not exists mart.national_gap (
    scope text not null,
    unit_code text not null,
    unit_name text not null,
    period_kind text not null,
    period text not null,
    accepted bigint not null,
    done bigint not null,
    sent bigint not null,
    sent_as_done bigint not null,
    done_not_sent bigint not null,
    done_sent_otherwise bigint not null,
    supplement_sent_as_done bigint not null,
    payment_sent_as_done bigint not null,
    stopped_sent_as_done bigint not null,
    other_sent_as_done bigint not null,
    with_obligation bigint not null,
    paid_online bigint not null,
    flagged_online bigint not null,
    cash_flagged_online bigint not null,
    other_flagged_online bigint not null,
    online_not_flagged bigint not null,
    refreshed_at timestamptz not null,
    constraint national_gap_pkey primary key (scope, unit_code, period)
);

-- For BI, which has no right to core: the sets and components as they are now.
create or replace view mart.indicator_component as
select
    s.set_code,
    s.name_vi as set_name_vi,
    s.name_en as set_name_en,
    s.source_vi,
    s.source_en,
    s.note_vi as set_note_vi,
    s.note_en as set_note_en,
    s.valid_from,
    s.valid_to,
    s.total_points,
    s.ranked_from_share,
    s.state,
    s.revision,
    c.position,
    c.group_code,
    c.group_name_vi,
    c.group_name_en,
    c.component_code,
    c.component_number,
    c.name_vi,
    c.name_en,
    c.max_points,
    c.target,
    c.measure,
    c.indicator,
    c.scopes,
    c.why_vi,
    c.why_en
from core.dim_indicator_set as s
left join core.dim_indicator_component as c on s.set_code = c.set_code;

comment on table mart.indicator_score is 'Điểm, điểm mất và thứ hạng theo bộ chỉ số, đơn vị và kỳ | Scores, points lost and ranks by set, unit and period';
comment on column mart.indicator_score.set_code is 'Mã bộ chỉ số và phiên bản | Code of the set and its version';
comment on column mart.indicator_score.component_code is 'Mã thành phần; * là cả bộ | Component; * for the whole set';
comment on column mart.indicator_score.component_number is 'Số trong văn bản | Number in the legal text';
comment on column mart.indicator_score.measure is 'Phép đo | Measure';
comment on column mart.indicator_score.scope is 'Phạm vi: province tỉnh, district địa bàn huyện, agency cơ quan, commune UBND xã | Scope: province, district, agency, commune';
comment on column mart.indicator_score.unit_code is 'Mã đơn vị; * là toàn tỉnh | Code of the unit; * for the province';
comment on column mart.indicator_score.unit_name is 'Tên đơn vị | Name of the unit';
comment on column mart.indicator_score.peer_group is 'Nhóm cùng loại và cấp | Peer group, kind and level';
comment on column mart.indicator_score.period_kind is 'Loại kỳ: month, quarter, half, year | Kind of period';
comment on column mart.indicator_score.period is 'Kỳ: 2024-06, 2024-Q2, 2024-H1, 2024 | Period';
comment on column mart.indicator_score.starts_on is 'Ngày đầu kỳ | First day';
comment on column mart.indicator_score.ends_on is 'Ngày cuối kỳ, hoặc ngày cuối của dữ liệu | Last day, or the last one the data knows';
comment on column mart.indicator_score.numerator is 'Tử số | Numerator';
comment on column mart.indicator_score.denominator is 'Mẫu số; 0 là không áp dụng | Denominator; 0 is not applicable';
comment on column mart.indicator_score.factor is 'Hệ số nhân (3.3: tỷ lệ đồng bộ) | Factor (3.3: share synchronised)';
comment on column mart.indicator_score.rate is 'Tỷ lệ (0..1), không làm tròn để so sánh | Share (0..1), not rounded for comparing';
comment on column mart.indicator_score.target is 'Tỷ lệ đạt điểm tối đa (0..1) | Share from which full points are given (0..1)';
comment on column mart.indicator_score.max_points is 'Điểm tối đa; ở dòng * là của các thành phần tính được và áp dụng | Most points; in row * of the components that are measured and apply';
comment on column mart.indicator_score.score is 'Điểm = tối đa × min(1, tỷ lệ / mục tiêu) | Score = maximum × min(1, share / target)';
comment on column mart.indicator_score.points_lost is 'Điểm mất | Points lost';
comment on column mart.indicator_score.percent is 'Điểm trên tối đa, % (dòng *) | Score of the maximum, % (row *)';
comment on column mart.indicator_score.status is 'scored có điểm, followed theo dõi, not_applicable không áp dụng, not_ranked quá ít điểm áp dụng để xếp hạng, excluded được loại khỏi xếp hạng | scored, followed, not_applicable, not_ranked (too little applies) or excluded';
comment on column mart.indicator_score.place is 'Hạng trong nhóm; bằng điểm cùng hạng (1, 1, 3) | Place in the peer group; equal scores share it (1, 1, 3)';
comment on column mart.indicator_score.peers is 'Số đơn vị được xếp hạng trong nhóm | Units ranked in the group';
comment on column mart.indicator_score.tied is 'Số đơn vị cùng hạng, gồm cả đơn vị này | Units that share the place, this one included';
comment on column mart.indicator_score.set_revision is 'Lần nạp nội dung, từ 1 | Revision of the content, from 1';
comment on column mart.indicator_score.refreshed_at is 'Thời điểm tính | Computed at';

comment on table mart.national_gap is 'Số của tỉnh cạnh số đã gửi lên cổng quốc gia, chênh lệch theo nguyên nhân | The province''s counts beside those sent to the national portal, the gap by cause';
comment on column mart.national_gap.scope is 'Phạm vi: province tỉnh, district địa bàn huyện, agency cơ quan, commune UBND xã | Scope: province, district, agency, commune';
comment on column mart.national_gap.unit_code is 'Mã đơn vị; * là toàn tỉnh | Code of the unit; * for the province';
comment on column mart.national_gap.unit_name is 'Tên đơn vị | Name of the unit';
comment on column mart.national_gap.period_kind is 'Loại kỳ: month, quarter, half, year | Kind of period';
comment on column mart.national_gap.period is 'Kỳ: 2024-06, 2024-Q2, 2024-H1, 2024 | Period';
comment on column mart.national_gap.accepted is 'Hồ sơ tiếp nhận trong kỳ | Dossiers accepted in the period';
comment on column mart.national_gap.done is 'Đã xong theo tỉnh (trạng thái 9, 10) | Done in the province''s records (status 9, 10)';
comment on column mart.national_gap.sent is 'Đã gửi lên cổng quốc gia | Sent to the national portal';
comment on column mart.national_gap.sent_as_done is 'Cổng quốc gia ghi đã xong (9, 10 trong lần gửi cuối) | Done in the national copy (9, 10 in the last message)';
comment on column mart.national_gap.done_not_sent is 'Đã xong nhưng chưa gửi | Done, never sent';
comment on column mart.national_gap.done_sent_otherwise is 'Đã xong nhưng lần gửi cuối chưa ghi xong | Done, last sent as something else';
comment on column mart.national_gap.supplement_sent_as_done is 'Chờ bổ sung (5) nhưng gửi là đã xong | Waiting for a supplement (5), sent as done';
comment on column mart.national_gap.payment_sent_as_done is 'Chờ nghĩa vụ tài chính (6) nhưng gửi là đã xong | Waiting for payment (6), sent as done';
comment on column mart.national_gap.stopped_sent_as_done is 'Dừng xử lý (8) nhưng gửi là đã xong | Stopped (8), sent as done';
comment on column mart.national_gap.other_sent_as_done is 'Trạng thái khác nhưng gửi là đã xong | Other status, sent as done';
comment on column mart.national_gap.with_obligation is 'Hồ sơ có nghĩa vụ tài chính | Dossiers with a financial obligation';
comment on column mart.national_gap.paid_online is 'Thanh toán trực tuyến theo chứng từ | Paid online by the payment itself';
comment on column mart.national_gap.flagged_online is 'Cờ nguồn ghi trực tuyến | Flagged as paid online by the source';
comment on column mart.national_gap.cash_flagged_online is 'Tiền mặt nhưng ghi trực tuyến | Cash, flagged as online';
comment on column mart.national_gap.other_flagged_online is 'Chưa trả hoặc chuyển khoản nhưng ghi trực tuyến | Unpaid or by transfer, flagged as online';
comment on column mart.national_gap.online_not_flagged is 'Trực tuyến nhưng không ghi cờ | Online, not flagged';
comment on column mart.national_gap.refreshed_at is 'Thời điểm tính | Computed at';


comment on view mart.indicator_component is 'Bộ chỉ số và thành phần hiện tại | Indicator sets and components as they are now';
comment on column mart.indicator_component.set_code is 'Mã bộ chỉ số | Code of the set';
comment on column mart.indicator_component.set_name_vi is 'Tên bộ | Name of the set';
comment on column mart.indicator_component.set_name_en is 'Tên bộ, tiếng Anh | Name of the set in English';
comment on column mart.indicator_component.source_vi is 'Văn bản | Legal text';
comment on column mart.indicator_component.source_en is 'Văn bản, tiếng Anh | Legal text in English';
comment on column mart.indicator_component.set_note_vi is 'Ghi chú | Note';
comment on column mart.indicator_component.set_note_en is 'Ghi chú, tiếng Anh | Note in English';
comment on column mart.indicator_component.valid_from is 'Có hiệu lực từ ngày | Valid from';
comment on column mart.indicator_component.valid_to is 'Hết hiệu lực từ ngày (không bao gồm) | Valid until, exclusive';
comment on column mart.indicator_component.total_points is 'Tổng điểm | Points in all';
comment on column mart.indicator_component.ranked_from_share is 'Phần điểm phải áp dụng thì mới xếp hạng | Share that must apply for a rank';
comment on column mart.indicator_component.state is 'complete, partial, placeholder | State';
comment on column mart.indicator_component.revision is 'Lần nạp | Revision';
comment on column mart.indicator_component.position is 'Thứ tự | Order';
comment on column mart.indicator_component.group_code is 'Mã nhóm | Code of the group';
comment on column mart.indicator_component.group_name_vi is 'Tên nhóm | Name of the group';
comment on column mart.indicator_component.group_name_en is 'Tên nhóm, tiếng Anh | Name of the group in English';
comment on column mart.indicator_component.component_code is 'Mã thành phần; trống nếu bộ chưa có thành phần | Component; empty for a placeholder';
comment on column mart.indicator_component.component_number is 'Số trong văn bản | Number in the legal text';
comment on column mart.indicator_component.name_vi is 'Tên thành phần | Name of the component';
comment on column mart.indicator_component.name_en is 'Tên thành phần, tiếng Anh | Name in English';
comment on column mart.indicator_component.max_points is 'Điểm tối đa | Most points';
comment on column mart.indicator_component.target is 'Tỷ lệ đạt điểm tối đa | Share for full points';
comment on column mart.indicator_component.measure is 'Phép đo | Measure';
comment on column mart.indicator_component.indicator is 'Chỉ số theo dõi | Indicator followed';
comment on column mart.indicator_component.scopes is 'Phạm vi được tính | Scopes';
comment on column mart.indicator_component.why_vi is 'Vì sao chưa đo được, hoặc đo khác | Why it is not measured, or otherwise';
comment on column mart.indicator_component.why_en is 'Như trên, tiếng Anh | The same in English';

grant select, insert, delete on mart.indicator_score to dx_loader;
grant select on mart.indicator_score to dx_engineer, dx_analyst, dx_bi;
grant select, insert, delete on mart.national_gap to dx_loader;
grant select on mart.national_gap to dx_engineer, dx_analyst, dx_bi;
grant select on mart.indicator_component to dx_loader, dx_engineer, dx_analyst, dx_bi;
