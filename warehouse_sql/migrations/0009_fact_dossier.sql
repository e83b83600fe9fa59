-- Grain: one row per dossier code; an accumulating snapshot, brought up to date as the dossier moves on.
-- registered_on is the date inside the dossier code. It never changes, so the row never has to move to another
-- partition: the day of acceptance, which reports are cut by, may be corrected and cannot play that part.
-- The primary key holds the dossier code, so the table can be distributed by it.

create table if not exists core.fact_dossier (
    dossier_code text not null,
    registered_on date not null,
    agency_sk integer not null,
    procedure_sk integer not null,
    field_sk integer not null,
    commune_sk integer not null,
    received_date_key integer not null,
    channel_sk smallint not null,
    status_sk smallint not null,
    applicant_kind_sk smallint not null,
    service_level smallint,
    return_method smallint,
    submitted_through smallint,
    paid_online_reported smallint,
    supplement_limit integer,
    received_on date,
    submitted_at timestamptz,
    accept_due_at timestamptz,
    received_at timestamptz,
    due_at timestamptz,
    supplement_requested_at timestamptz,
    supplement_received_at timestamptz,
    finished_at timestamptz,
    returned_at timestamptz,
    refused_at timestamptz,
    deleted_at timestamptz,
    source_updated_at timestamptz not null,
    loaded_at timestamptz not null,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    has_digitised_component boolean,
    vneid_verified boolean,
    other_code text,
    quality_flags text[],
    constraint fact_dossier_pkey primary key (dossier_code, registered_on)
)
partition by range (registered_on);

-- Few indexes: the key serves look-ups by code, the other one serves an agency's period. Whole-table reports scan.
create index if not exists fact_dossier_by_agency on core.fact_dossier (agency_sk, received_on);

alter table core.fact_dossier add constraint fact_dossier_agency_fkey
foreign key (agency_sk) references core.dim_agency (agency_sk);
alter table core.fact_dossier add constraint fact_dossier_procedure_fkey
foreign key (procedure_sk) references core.dim_procedure (procedure_sk);
alter table core.fact_dossier add constraint fact_dossier_field_fkey
foreign key (field_sk) references core.dim_field (field_sk);
alter table core.fact_dossier add constraint fact_dossier_commune_fkey
foreign key (commune_sk) references core.dim_admin_unit (admin_unit_sk);
alter table core.fact_dossier add constraint fact_dossier_received_date_fkey
foreign key (received_date_key) references core.dim_date (date_key);
alter table core.fact_dossier add constraint fact_dossier_channel_fkey
foreign key (channel_sk) references core.dim_channel (channel_sk);
alter table core.fact_dossier add constraint fact_dossier_status_fkey
foreign key (status_sk) references core.dim_dossier_status (status_sk);
alter table core.fact_dossier add constraint fact_dossier_applicant_kind_fkey
foreign key (applicant_kind_sk) references core.dim_applicant_kind (applicant_kind_sk);

-- Grain: one row per dossier code that another record of the same dossier carries as its other id.
-- Before the portal and the one-stop system became one, a dossier could be entered in both.
create table if not exists core.dossier_alias (
    alias_code text primary key,
    alias_registered_on date not null,
    dossier_code text not null,
    registered_on date not null,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    loaded_at timestamptz not null
);

-- The records to leave out when a dossier is to be counted once: the alias, if the record it stands for is here too.
-- Count once: ... from core.fact_dossier as d left join core.duplicate_dossier as x
--                 on x.dossier_code = d.dossier_code and x.registered_on = d.registered_on
--             where x.dossier_code is null and d.deleted_at is null
create or replace view core.duplicate_dossier with (security_invoker = true) as
select
    a.alias_code as dossier_code,
    a.alias_registered_on as registered_on,
    a.dossier_code as kept_dossier_code,
    a.registered_on as kept_registered_on
from core.dossier_alias as a
inner join core.fact_dossier as kept
    on a.dossier_code = kept.dossier_code and a.registered_on = kept.registered_on and kept.deleted_at is null
inner join core.fact_dossier as other
    on a.alias_code = other.dossier_code and a.alias_registered_on = other.registered_on;

comment on table core.fact_dossier is 'Sự kiện hồ sơ một cửa, mỗi dòng một hồ sơ, cập nhật theo tiến trình | One-stop dossiers, one row each, brought up to date as they move on';
comment on column core.fact_dossier.dossier_code is 'Mã hồ sơ | Dossier code';
comment on column core.fact_dossier.registered_on is 'Ngày trong mã hồ sơ; không bao giờ đổi nên dùng để phân vùng | Date inside the dossier code; never changes, so the table is partitioned by it';
comment on column core.fact_dossier.agency_sk is 'Cơ quan giải quyết | Handling agency';
comment on column core.fact_dossier.procedure_sk is 'Phiên bản thủ tục có hiệu lực ngày tiếp nhận | Procedure version in force on the day of acceptance';
comment on column core.fact_dossier.field_sk is 'Lĩnh vực | Field of administration';
comment on column core.fact_dossier.commune_sk is 'Xã của người nộp | Commune of the applicant';
comment on column core.fact_dossier.received_date_key is 'Khóa ngày tiếp nhận (giờ Việt Nam), -1 nếu chưa tiếp nhận | Key of the day of acceptance (local), -1 when not accepted';
comment on column core.fact_dossier.channel_sk is 'Kênh nộp; -1 nguồn để trống, Quyết định 766 coi là trực tiếp | Channel; -1 the source left it empty, Decision 766 counts it as at the counter';
comment on column core.fact_dossier.status_sk is 'Trạng thái hiện tại theo bản của tỉnh | Present status in the provincial copy';
comment on column core.fact_dossier.applicant_kind_sk is 'Loại đối tượng | Kind of applicant';
comment on column core.fact_dossier.service_level is 'Mức độ dịch vụ khi nộp: 4 toàn trình, 3 một phần, 2 cung cấp thông tin | Level of service at submission: 4 full, 3 partial, 2 information';
comment on column core.fact_dossier.return_method is 'Hình thức trả: 0 tại bộ phận một cửa, 1 bưu chính | Result handed over: 0 at the counter, 1 by post';
comment on column core.fact_dossier.submitted_through is 'Nơi nộp: 1 Cổng Dịch vụ công quốc gia, 2 tại tỉnh | Filed through: 1 national portal, 2 province';
comment on column core.fact_dossier.paid_online_reported is 'Cờ thanh toán trực tuyến của nguồn: 1 qua cổng quốc gia, 2 qua cổng tỉnh, 0 và 3 không; hay báo thừa, xem sự kiện thanh toán | Online-payment flag of the source: 1 national, 2 local, 0 and 3 none; overstated, see payment events';
comment on column core.fact_dossier.supplement_limit is 'Thời hạn bổ sung (ngày) | Days allowed for the supplement';
comment on column core.fact_dossier.received_on is 'Ngày tiếp nhận, giờ Việt Nam | Day of acceptance, local time';
comment on column core.fact_dossier.submitted_at is 'Thời điểm nộp | Submitted at';
comment on column core.fact_dossier.accept_due_at is 'Hạn tiếp nhận | To be accepted by';
comment on column core.fact_dossier.received_at is 'Thời điểm tiếp nhận | Accepted at';
comment on column core.fact_dossier.due_at is 'Thời điểm hẹn trả; trống nếu không hẹn | Due at; empty when no date was given';
comment on column core.fact_dossier.supplement_requested_at is 'Yêu cầu bổ sung gần nhất | Latest supplement request';
comment on column core.fact_dossier.supplement_received_at is 'Công dân bổ sung gần nhất | Latest supplement received';
comment on column core.fact_dossier.finished_at is 'Kết thúc xử lý | Processing ended at';
comment on column core.fact_dossier.returned_at is 'Trả kết quả | Result handed over at';
comment on column core.fact_dossier.refused_at is 'Từ chối | Refused at';
comment on column core.fact_dossier.deleted_at is 'Nguồn đánh dấu xóa; báo cáo bỏ qua dòng này | Deleted at the source; reports leave the row out';
comment on column core.fact_dossier.source_updated_at is 'Cập nhật ở nguồn lúc | Last updated at the source';
comment on column core.fact_dossier.loaded_at is 'Thời điểm nạp | Loaded at';
comment on column core.fact_dossier.row_hash is 'Băm nội dung dòng nguồn | Hash of the content of the source row';
comment on column core.fact_dossier.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.fact_dossier.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.fact_dossier.has_digitised_component is 'Có thành phần hồ sơ số hóa | Has a digitised component';
comment on column core.fact_dossier.vneid_verified is 'Tài khoản xác thực qua VNeID | Account verified through VNeID';
comment on column core.fact_dossier.other_code is 'Mã hồ sơ trên hệ thống khác (cổng hoặc một cửa trước khi hợp nhất) | Code on the other system (portal or one-stop before the merge)';
comment on column core.fact_dossier.quality_flags is 'Mã các cảnh báo chất lượng của dòng | Codes of the quality warnings of the row';

comment on table core.dossier_alias is 'Hai mã của cùng một hồ sơ: mã bỏ qua và mã được giữ | Two codes of one dossier: the one to leave out and the one kept';
comment on column core.dossier_alias.alias_code is 'Mã bỏ qua khi đếm | Code to leave out when counting';
comment on column core.dossier_alias.alias_registered_on is 'Ngày trong mã bỏ qua | Date inside the code left out';
comment on column core.dossier_alias.dossier_code is 'Mã được giữ: mã của tỉnh trước mã của cổng | Code kept: the provincial one before the portal one';
comment on column core.dossier_alias.registered_on is 'Ngày trong mã được giữ | Date inside the code kept';
comment on column core.dossier_alias.row_hash is 'Băm nội dung dòng | Hash of the content of the row';
comment on column core.dossier_alias.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column core.dossier_alias.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';
comment on column core.dossier_alias.loaded_at is 'Thời điểm nạp | Loaded at';

comment on view core.duplicate_dossier is 'Bản ghi trùng cần bỏ qua để mỗi hồ sơ được đếm một lần | Records to leave out so that each dossier counts once';
comment on column core.duplicate_dossier.dossier_code is 'Mã hồ sơ bỏ qua | Code of the record to leave out';
comment on column core.duplicate_dossier.registered_on is 'Ngày trong mã bỏ qua | Date inside that code';
comment on column core.duplicate_dossier.kept_dossier_code is 'Mã hồ sơ được đếm | Code of the record that counts';
comment on column core.duplicate_dossier.kept_registered_on is 'Ngày trong mã được đếm | Date inside that code';

grant select, insert, update on core.fact_dossier to dx_loader;
grant select on core.fact_dossier to dx_engineer, dx_analyst;
grant select, insert, update on core.dossier_alias to dx_loader;
grant select on core.dossier_alias to dx_engineer, dx_analyst;
grant select on core.duplicate_dossier to dx_loader, dx_engineer, dx_analyst;
