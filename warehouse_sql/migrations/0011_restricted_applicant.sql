-- Grain: one row per dossier whose applicant left an identity number or a telephone.
-- Keyed pseudonyms (HMAC-SHA256, the key is outside the database). They are still personal data: no reader role
-- has this schema. They serve to tell repeat applicants apart and to find the rows of a person who asks for erasure.

create table if not exists restricted.dossier_applicant (
    dossier_code text not null,
    registered_on date not null,
    key_version smallint not null,
    citizen_id_pseudonym bytea,
    phone_pseudonym bytea,
    loaded_at timestamptz not null,
    row_hash bigint not null,
    first_batch_id bigint not null,
    last_batch_id bigint not null,
    constraint dossier_applicant_pkey primary key (dossier_code, registered_on)
)
partition by range (registered_on);

comment on table restricted.dossier_applicant is 'Bí danh có khóa của người nộp hồ sơ; vẫn là dữ liệu cá nhân | Keyed pseudonyms of applicants; still personal data';
comment on column restricted.dossier_applicant.dossier_code is 'Mã hồ sơ | Dossier code';
comment on column restricted.dossier_applicant.registered_on is 'Ngày trong mã hồ sơ | Date inside the dossier code';
comment on column restricted.dossier_applicant.key_version is 'Phiên bản khóa | Version of the key';
comment on column restricted.dossier_applicant.citizen_id_pseudonym is 'Bí danh số giấy tờ | Pseudonym of the identity number';
comment on column restricted.dossier_applicant.phone_pseudonym is 'Bí danh số điện thoại | Pseudonym of the telephone number';
comment on column restricted.dossier_applicant.loaded_at is 'Thời điểm nạp | Loaded at';
comment on column restricted.dossier_applicant.row_hash is 'Băm nội dung dòng | Hash of the content of the row';
comment on column restricted.dossier_applicant.first_batch_id is 'Lô đầu tiên nạp dòng này | Batch that first loaded the row';
comment on column restricted.dossier_applicant.last_batch_id is 'Lô gần nhất thay đổi dòng này | Batch that last changed the row';

grant select, insert, update, delete on restricted.dossier_applicant to dx_loader;
