-- The service centre (Trung tâm Phục vụ hành chính công): ratings of dossiers, petitions, transactions by day. Names,
-- telephones and texts of citizens are not read.
--
-- What needs another system's rows is asked when it is read, not when it is loaded: whether a rated dossier is known
-- and had ended (core.satisfaction_checked), and by which working day a petition is due (core.petition_deadline). So
-- no dataset waits for another, and a holiday or a dossier that comes later counts at once.

create table if not exists core.dim_rating (
    rating_code text primary key,
    name_vi text not null,
    name_en text not null,
    is_satisfied boolean
);

create table if not exists core.dim_rating_kind (
    rating_kind_code text primary key,
    name_vi text not null,
    name_en text not null
);

create table if not exists core.dim_petition_kind (
    petition_kind_code text primary key,
    name_vi text not null,
    name_en text not null
);

create table if not exists core.dim_petition_handling (
    handling_code text primary key,
    name_vi text not null,
    name_en text not null,
    limit_working_days smallint
);

-- Grain: one row per dossier and what was rated, the last rating.
create table if not exists core.fact_satisfaction (
    dossier_code text not null,
    rating_kind_code text not null,
    registered_on date not null,
    rating_code text not null,
    rated_at timestamptz not null,
    rated_on date not null,
    code_agency_sk integer not null,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_satisfaction_pkey primary key (dossier_code, rating_kind_code)
);

-- Grain: one row per petition, as it is now.
create table if not exists core.fact_petition (
    petition_code text primary key,
    petition_kind_code text not null,
    agency_code text not null,
    agency_sk integer not null,
    dossier_code text,
    received_at timestamptz not null,
    received_on date not null,
    handling_code text not null,
    handled_at timestamptz,
    handled_on date,
    published_on date,
    source_due_on date,
    rating_code text not null,
    raised_again boolean,
    closed_on date,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_petition_handled_after_received check (handled_at >= received_at)
);

-- Grain: one row per day, agency and channel.
create table if not exists core.fact_service_transaction_day (
    day date not null,
    agency_code text not null,
    channel_sk smallint not null,
    agency_sk integer not null,
    transactions bigint not null,
    payments bigint not null,
    amount_vnd bigint not null,
    closed_on date,
    quality_flags text[],
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null,
    constraint fact_service_transaction_day_pkey primary key (day, agency_code, channel_sk),
    constraint fact_service_transaction_day_payments check (payments <= transactions)
);

insert into core.dim_rating (rating_code, name_vi, name_en, is_satisfied)
values
('not_applicable', 'Không đánh giá', 'Not rated', null),
('unknown', 'Không xác định', 'Unknown', null),
('rat_hai_long', 'Rất hài lòng', 'Very satisfied', true),
('hai_long', 'Hài lòng', 'Satisfied', true),
('khong_hai_long', 'Không hài lòng', 'Dissatisfied', false);

insert into core.dim_rating_kind (rating_kind_code, name_vi, name_en)
values
('not_applicable', 'Không áp dụng', 'Not applicable'),
('unknown', 'Không xác định', 'Unknown'),
('tiep_nhan', 'Tiếp nhận, hướng dẫn hồ sơ', 'Reception of the dossier'),
('ket_qua', 'Kết quả giải quyết', 'Result of the dossier');

insert into core.dim_petition_kind (petition_kind_code, name_vi, name_en)
values
('not_applicable', 'Không áp dụng', 'Not applicable'),
('unknown', 'Không xác định', 'Unknown'),
('thu_tuc', 'Về thủ tục, quy định hành chính', 'On a procedure or regulation'),
('can_bo', 'Về hành vi của cán bộ, công chức', 'On the conduct of officials'),
('khac', 'Khác', 'Other');

insert into core.dim_petition_handling (handling_code, name_vi, name_en, limit_working_days)
values
('not_applicable', 'Không áp dụng', 'Not applicable', null),
('unknown', 'Không xác định', 'Unknown', null),
('chua_xu_ly', 'Chưa xử lý', 'Not handled yet', 15),
('giai_quyet', 'Đã giải quyết', 'Resolved', 15),
('yeu_cau_bo_sung', 'Yêu cầu bổ sung thông tin', 'Asked for more', 5),
('tu_choi', 'Từ chối', 'Refused', 2),
('chuyen', 'Chuyển cơ quan khác', 'Forwarded', 2);

alter table core.fact_satisfaction add constraint fact_satisfaction_rating_fkey
foreign key (rating_code) references core.dim_rating (rating_code);
alter table core.fact_satisfaction add constraint fact_satisfaction_kind_fkey
foreign key (rating_kind_code) references core.dim_rating_kind (rating_kind_code);
alter table core.fact_satisfaction add constraint fact_satisfaction_agency_fkey
foreign key (code_agency_sk) references core.dim_agency (agency_sk);

alter table core.fact_petition add constraint fact_petition_kind_fkey
foreign key (petition_kind_code) references core.dim_petition_kind (petition_kind_code);
alter table core.fact_petition add constraint fact_petition_handling_fkey
foreign key (handling_code) references core.dim_petition_handling (handling_code);
alter table core.fact_petition add constraint fact_petition_rating_fkey
foreign key (rating_code) references core.dim_rating (rating_code);
alter table core.fact_petition add constraint fact_petition_agency_fkey
foreign key (agency_sk) references core.dim_agency (agency_sk);

alter table core.fact_service_transaction_day add constraint fact_service_transaction_day_channel_fkey
foreign key (channel_sk) references core.dim_channel (channel_sk);
alter table core.fact_service_transaction_day add constraint fact_service_transaction_day_agency_fkey
foreign key (agency_sk) references core.dim_agency (agency_sk);

-- Grain: one row per rating (core.fact_satisfaction), with its dossier as the warehouse knows it now. A dossier known
-- under two codes may be rated under either.
create or replace view core.satisfaction_checked with (security_invoker = true) as
select
    f.dossier_code,
    f.rating_kind_code,
    f.rating_code,
    f.rated_at,
    f.rated_on,
    coalesce(d.agency_sk, f.code_agency_sk) as agency_sk,
    d.dossier_code is not null as is_known,
    coalesce(d.finished_at, d.returned_at, d.refused_at) as ended_at,
    nullif(
        coalesce(f.quality_flags, '{}')
        || case when d.dossier_code is null then array['ho_so_khong_co'] else '{}' end
        || case
            when
                d.dossier_code is not null
                and f.rating_kind_code = 'ket_qua'
                and coalesce(f.rated_at < coalesce(d.finished_at, d.returned_at, d.refused_at), true)
                then array['danh_gia_truoc_ket_thuc']
            else '{}'
        end,
        '{}'
    ) as quality_flags
from core.fact_satisfaction as f
left join core.dossier_alias as a on f.dossier_code = a.alias_code
left join core.fact_dossier as own on f.dossier_code = own.dossier_code and f.registered_on = own.registered_on
left join core.fact_dossier as d
    on
        d.dossier_code = case when own.dossier_code is null then a.dossier_code else own.dossier_code end
        and d.registered_on = case when own.dossier_code is null then a.registered_on else own.registered_on end;

-- Grain: one row per petition that is at the source, with its time limit in working days. The day after receipt
-- is the first day of the limit; a petition that came on a day off is counted from the next working day on.
create or replace view core.petition_deadline with (security_invoker = true) as
select
    f.petition_code,
    f.agency_sk,
    f.received_on,
    f.handling_code,
    h.limit_working_days,
    due.full_date as due_on,
    f.handled_on,
    f.handled_on <= due.full_date as is_on_time,
    publish.full_date as publish_due_on,
    f.published_on,
    f.source_due_on,
    nullif(
        coalesce(f.quality_flags, '{}')
        || case when not source_due.is_working_day then array['han_vao_ngay_nghi'] else '{}' end,
        '{}'
    ) as quality_flags
from core.fact_petition as f
inner join core.dim_petition_handling as h on f.handling_code = h.handling_code
inner join core.dim_date as came on f.received_on = came.full_date
left join core.dim_date as due
    on due.is_working_day and due.working_day_number = came.working_day_number + h.limit_working_days
left join core.dim_date as done on f.handled_on = done.full_date
left join core.dim_date as publish
    on publish.is_working_day and publish.working_day_number = done.working_day_number + 2
left join core.dim_date as source_due on f.source_due_on = source_due.full_date
where f.closed_on is null;

-- Grain: one row per agency, month (local time) of the rating, and what was rated.
create table if not exists mart.satisfaction_by_agency_month (
    month date not null,
    agency_sk integer not null,
    agency_code text not null,
    agency_name text not null,
    rating_kind_code text not null,
    ratings bigint not null,
    very_satisfied bigint not null,
    satisfied bigint not null,
    dissatisfied bigint not null,
    satisfaction_rate numeric(6, 2),
    of_unknown_dossiers bigint not null,
    before_the_end bigint not null,
    refreshed_at timestamptz not null,
    constraint satisfaction_by_agency_month_pkey primary key (month, agency_sk, rating_kind_code)
);

-- Grain: one row per agency and month (local time) in which it received petitions.
create table if not exists mart.petition_by_agency_month (
    month date not null,
    agency_sk integer not null,
    agency_code text not null,
    agency_name text not null,
    received bigint not null,
    handled_on_time bigint not null,
    handled_late bigint not null,
    waiting bigint not null,
    waiting_overdue bigint not null,
    on_time_rate numeric(6, 2),
    published bigint not null,
    published_on_time bigint not null,
    rated bigint not null,
    dissatisfied bigint not null,
    raised_again bigint not null,
    handling_satisfaction numeric(6, 2),
    as_of date not null,
    refreshed_at timestamptz not null,
    constraint petition_by_agency_month_pkey primary key (month, agency_sk)
);

insert into core.dim_source_system (source_system_sk, code, name_vi, name_en)
values
(34, 'service_centre', 'Trung tâm Phục vụ hành chính công', 'Public administration service centre')
on conflict (source_system_sk) do nothing;

comment on table core.dim_rating is 'Mức hài lòng | Degree of satisfaction';
comment on column core.dim_rating.rating_code is 'Mã mức | Code of the degree';
comment on column core.dim_rating.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_rating.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.dim_rating.is_satisfied is 'Được tính là hài lòng | Counts as satisfied';

comment on table core.dim_rating_kind is 'Nội dung được đánh giá | What was rated';
comment on column core.dim_rating_kind.rating_kind_code is 'Mã nội dung | Code of what was rated';
comment on column core.dim_rating_kind.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_rating_kind.name_en is 'Tên tiếng Anh | Name in English';

comment on table core.dim_petition_kind is 'Loại phản ánh, kiến nghị | Kind of petition';
comment on column core.dim_petition_kind.petition_kind_code is 'Mã loại | Code of the kind';
comment on column core.dim_petition_kind.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_petition_kind.name_en is 'Tên tiếng Anh | Name in English';

comment on table core.dim_petition_handling is 'Hình thức xử lý phản ánh, kiến nghị và thời hạn theo Quyết định 766/QĐ-TTg, chỉ tiêu 5.2 | How a petition was handled and the time limit of Decision 766/QĐ-TTg, indicator 5.2';
comment on column core.dim_petition_handling.handling_code is 'Mã hình thức | Code of the way';
comment on column core.dim_petition_handling.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column core.dim_petition_handling.name_en is 'Tên tiếng Anh | Name in English';
comment on column core.dim_petition_handling.limit_working_days is 'Thời hạn, ngày làm việc | Time limit, working days';

comment on table core.fact_satisfaction is 'Đánh giá hài lòng; lần đánh giá sau cùng được tính | Ratings of satisfaction; the last one counts';
comment on column core.fact_satisfaction.dossier_code is 'Mã hồ sơ được đánh giá; hồ sơ có thể chưa có trong kho | Code of the dossier that was rated; the warehouse may not have it';
comment on column core.fact_satisfaction.rating_kind_code is 'Nội dung được đánh giá | What was rated';
comment on column core.fact_satisfaction.registered_on is 'Ngày trong mã hồ sơ | Date inside the dossier code';
comment on column core.fact_satisfaction.rating_code is 'Mức hài lòng | Degree of satisfaction';
comment on column core.fact_satisfaction.rated_at is 'Thời điểm đánh giá | Rated at';
comment on column core.fact_satisfaction.rated_on is 'Ngày đánh giá (giờ Việt Nam) | Day of the rating (local)';
comment on column core.fact_satisfaction.code_agency_sk is 'Cơ quan trong mã hồ sơ; -1 nếu là mã của Cổng quốc gia | Agency inside the dossier code; -1 where the national portal made the code';
comment on column core.fact_satisfaction.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column core.fact_satisfaction.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.fact_satisfaction.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_satisfaction.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_satisfaction.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table core.fact_petition is 'Phản ánh, kiến nghị; không có nội dung và người gửi | Petitions; neither their text nor who sent them';
comment on column core.fact_petition.petition_code is 'Mã phản ánh, kiến nghị | Code of the petition';
comment on column core.fact_petition.petition_kind_code is 'Loại | Kind';
comment on column core.fact_petition.agency_code is 'Mã cơ quan xử lý | Identifier of the handling agency';
comment on column core.fact_petition.agency_sk is 'Cơ quan xử lý; -1: không rõ | Handling agency; -1 unknown';
comment on column core.fact_petition.dossier_code is 'Hồ sơ liên quan, nếu có | Dossier it is about, if any';
comment on column core.fact_petition.received_at is 'Tiếp nhận lúc | Received at';
comment on column core.fact_petition.received_on is 'Ngày tiếp nhận (giờ Việt Nam) | Day it was received (local)';
comment on column core.fact_petition.handling_code is 'Hình thức xử lý; chua_xu_ly nếu chưa xử lý | How it was handled; chua_xu_ly while it was not';
comment on column core.fact_petition.handled_at is 'Xử lý lúc | Handled at';
comment on column core.fact_petition.handled_on is 'Ngày xử lý (giờ Việt Nam) | Day it was handled (local)';
comment on column core.fact_petition.published_on is 'Ngày công khai kết quả | Day the result was published';
comment on column core.fact_petition.source_due_on is 'Hạn do nguồn tính | Due day as the source computed it';
comment on column core.fact_petition.rating_code is 'Mức hài lòng với kết quả | Degree of satisfaction with the result';
comment on column core.fact_petition.raised_again is 'Người dân kiến nghị lại | The citizen raised it again';
comment on column core.fact_petition.closed_on is 'Ngày dòng không còn ở nguồn; trống nếu còn | Day the row left the source; empty while it is there';
comment on column core.fact_petition.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column core.fact_petition.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.fact_petition.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_petition.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_petition.loaded_at is 'Thời điểm nạp | Loaded at';

comment on table core.fact_service_transaction_day is 'Lượt giao dịch dịch vụ công theo ngày, cơ quan, kênh | Transactions of public services by day, agency and channel';
comment on column core.fact_service_transaction_day.day is 'Ngày | Day';
comment on column core.fact_service_transaction_day.agency_code is 'Mã cơ quan | Identifier of the agency';
comment on column core.fact_service_transaction_day.channel_sk is 'Kênh | Channel';
comment on column core.fact_service_transaction_day.agency_sk is 'Cơ quan; -1: không rõ | Agency; -1 unknown';
comment on column core.fact_service_transaction_day.transactions is 'Số lượt giao dịch | Transactions';
comment on column core.fact_service_transaction_day.payments is 'Trong đó có thanh toán | Of these with a payment';
comment on column core.fact_service_transaction_day.amount_vnd is 'Số tiền thanh toán, đồng | Amount paid, đồng';
comment on column core.fact_service_transaction_day.closed_on is 'Ngày dòng không còn ở nguồn; trống nếu còn | Day the row left the source; empty while it is there';
comment on column core.fact_service_transaction_day.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';
comment on column core.fact_service_transaction_day.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.fact_service_transaction_day.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_service_transaction_day.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_service_transaction_day.loaded_at is 'Thời điểm nạp | Loaded at';

comment on view core.satisfaction_checked is 'Đánh giá hài lòng đối chiếu với hồ sơ | Ratings compared with their dossiers';
comment on column core.satisfaction_checked.dossier_code is 'Mã hồ sơ | Dossier code';
comment on column core.satisfaction_checked.rating_kind_code is 'Nội dung được đánh giá | What was rated';
comment on column core.satisfaction_checked.rating_code is 'Mức hài lòng | Degree of satisfaction';
comment on column core.satisfaction_checked.rated_at is 'Thời điểm đánh giá | Rated at';
comment on column core.satisfaction_checked.rated_on is 'Ngày đánh giá (giờ Việt Nam) | Day of the rating (local)';
comment on column core.satisfaction_checked.agency_sk is 'Cơ quan giải quyết hồ sơ; nếu kho không có hồ sơ: cơ quan trong mã | Agency of the dossier; of the code where the warehouse does not have the dossier';
comment on column core.satisfaction_checked.is_known is 'Kho có hồ sơ này, dưới mã này hoặc mã khác của nó | The warehouse has the dossier, under this or its other code';
comment on column core.satisfaction_checked.ended_at is 'Hồ sơ kết thúc lúc | The dossier ended at';
comment on column core.satisfaction_checked.quality_flags is 'Cảnh báo của dòng, thêm ho_so_khong_co và danh_gia_truoc_ket_thuc | Warnings of the row, with ho_so_khong_co and danh_gia_truoc_ket_thuc';

comment on view core.petition_deadline is 'Thời hạn xử lý phản ánh, kiến nghị theo ngày làm việc | Time limits of petitions in working days';
comment on column core.petition_deadline.petition_code is 'Mã phản ánh, kiến nghị | Code of the petition';
comment on column core.petition_deadline.agency_sk is 'Cơ quan xử lý | Handling agency';
comment on column core.petition_deadline.received_on is 'Ngày tiếp nhận | Day it was received';
comment on column core.petition_deadline.handling_code is 'Hình thức xử lý | How it was handled';
comment on column core.petition_deadline.limit_working_days is 'Thời hạn, ngày làm việc | Time limit, working days';
comment on column core.petition_deadline.due_on is 'Ngày làm việc cuối cùng của thời hạn | Last working day of the limit';
comment on column core.petition_deadline.handled_on is 'Ngày xử lý | Day it was handled';
comment on column core.petition_deadline.is_on_time is 'Xử lý đúng hạn; trống nếu chưa xử lý | Handled in time; empty while it is not handled';
comment on column core.petition_deadline.publish_due_on is 'Hạn công khai: 2 ngày làm việc sau khi xử lý | To be published by: 2 working days after handling';
comment on column core.petition_deadline.published_on is 'Ngày công khai | Day of publication';
comment on column core.petition_deadline.source_due_on is 'Hạn do nguồn tính | Due day as the source computed it';
comment on column core.petition_deadline.quality_flags is 'Cảnh báo của dòng, thêm han_vao_ngay_nghi | Warnings of the row, with han_vao_ngay_nghi';

comment on table mart.satisfaction_by_agency_month is 'Mức hài lòng theo cơ quan, tháng và nội dung đánh giá | Satisfaction by agency, month and what was rated';
comment on column mart.satisfaction_by_agency_month.month is 'Tháng (ngày đầu tháng) | Month (its first day)';
comment on column mart.satisfaction_by_agency_month.agency_sk is 'Cơ quan; -1: không rõ | Agency; -1 unknown';
comment on column mart.satisfaction_by_agency_month.agency_code is 'Mã cơ quan | Identifier of the agency';
comment on column mart.satisfaction_by_agency_month.agency_name is 'Tên cơ quan | Name of the agency';
comment on column mart.satisfaction_by_agency_month.rating_kind_code is 'Nội dung được đánh giá | What was rated';
comment on column mart.satisfaction_by_agency_month.ratings is 'Số lượt đánh giá | Ratings';
comment on column mart.satisfaction_by_agency_month.very_satisfied is 'Rất hài lòng | Very satisfied';
comment on column mart.satisfaction_by_agency_month.satisfied is 'Hài lòng | Satisfied';
comment on column mart.satisfaction_by_agency_month.dissatisfied is 'Không hài lòng | Dissatisfied';
comment on column mart.satisfaction_by_agency_month.satisfaction_rate is 'Rất hài lòng và hài lòng trên tổng số, % | Very satisfied and satisfied per ratings, percent';
comment on column mart.satisfaction_by_agency_month.of_unknown_dossiers is 'Đánh giá hồ sơ không có trong kho; vẫn được đếm | Ratings of dossiers the warehouse does not have; they are counted';
comment on column mart.satisfaction_by_agency_month.before_the_end is 'Đánh giá trước khi hồ sơ kết thúc; vẫn được đếm | Ratings given before the dossier had ended; they are counted';
comment on column mart.satisfaction_by_agency_month.refreshed_at is 'Thời điểm tính | Computed at';

comment on table mart.petition_by_agency_month is 'Phản ánh, kiến nghị theo cơ quan và tháng tiếp nhận, thời hạn theo ngày làm việc | Petitions by agency and month of receipt, time limits in working days';
comment on column mart.petition_by_agency_month.month is 'Tháng (ngày đầu tháng) | Month (its first day)';
comment on column mart.petition_by_agency_month.agency_sk is 'Cơ quan; -1: không rõ | Agency; -1 unknown';
comment on column mart.petition_by_agency_month.agency_code is 'Mã cơ quan | Identifier of the agency';
comment on column mart.petition_by_agency_month.agency_name is 'Tên cơ quan | Name of the agency';
comment on column mart.petition_by_agency_month.received is 'Tiếp nhận | Received';
comment on column mart.petition_by_agency_month.handled_on_time is 'Xử lý đúng hạn | Handled in time';
comment on column mart.petition_by_agency_month.handled_late is 'Xử lý quá hạn | Handled late';
comment on column mart.petition_by_agency_month.waiting is 'Chưa xử lý, chưa đến hạn | Not handled, not yet due';
comment on column mart.petition_by_agency_month.waiting_overdue is 'Chưa xử lý, đã quá hạn vào ngày as_of | Not handled, overdue on as_of';
comment on column mart.petition_by_agency_month.on_time_rate is 'Đúng hạn trên số đã xử lý và quá hạn, % | In time of those handled or overdue, percent';
comment on column mart.petition_by_agency_month.published is 'Đã công khai kết quả | Results published';
comment on column mart.petition_by_agency_month.published_on_time is 'Công khai trong 2 ngày làm việc | Published within 2 working days';
comment on column mart.petition_by_agency_month.rated is 'Được đánh giá | Rated';
comment on column mart.petition_by_agency_month.dissatisfied is 'Không hài lòng | Dissatisfied';
comment on column mart.petition_by_agency_month.raised_again is 'Kiến nghị lại | Raised again';
comment on column mart.petition_by_agency_month.handling_satisfaction is '(Tổng - không hài lòng, kiến nghị lại hoặc quá hạn) / tổng, % (Quyết định 766) | (All - dissatisfied, raised again or overdue) / all, percent (Decision 766)';
comment on column mart.petition_by_agency_month.as_of is 'Ngày mới nhất dữ liệu biết đến | Latest day the data knows of';
comment on column mart.petition_by_agency_month.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, update on core.fact_satisfaction to dx_loader;
grant select on core.fact_satisfaction to dx_engineer, dx_analyst;
grant select, insert, update on core.fact_petition to dx_loader;
grant select on core.fact_petition to dx_engineer, dx_analyst;
grant select, insert, update on core.fact_service_transaction_day to dx_loader;
grant select on core.fact_service_transaction_day to dx_engineer, dx_analyst;
grant select on core.dim_rating to dx_loader, dx_engineer, dx_analyst;
grant select on core.dim_rating_kind to dx_loader, dx_engineer, dx_analyst;
grant select on core.dim_petition_kind to dx_loader, dx_engineer, dx_analyst;
grant select on core.dim_petition_handling to dx_loader, dx_engineer, dx_analyst;
grant select on core.satisfaction_checked to dx_loader, dx_engineer, dx_analyst;
grant select on core.petition_deadline to dx_loader, dx_engineer, dx_analyst;
grant select, insert, delete on mart.satisfaction_by_agency_month to dx_loader;
grant select on mart.satisfaction_by_agency_month to dx_engineer, dx_analyst, dx_bi;
grant select, insert, delete on mart.petition_by_agency_month to dx_loader;
grant select on mart.petition_by_agency_month to dx_engineer, dx_analyst, dx_bi;
