-- Which pseudonym keys this warehouse was filled with. The keys themselves are in a file outside the database; here is
-- a check value of each (HMAC of a fixed text), so that another key under the same number is noticed before its
-- pseudonyms mix with the ones that are here.

-- Grain: one row per version of the pseudonym key that filled a row or was made by a rotation.
create table if not exists ops.pseudonym_key (
    key_version smallint primary key,
    check_value text not null,
    first_used_at timestamptz not null default now(),
    deleted_at timestamptz
);

comment on table ops.pseudonym_key is 'Các phiên bản khóa bí danh đã dùng; khóa nằm ngoài cơ sở dữ liệu | Versions of the pseudonym key that were used; the keys are outside the database';
comment on column ops.pseudonym_key.key_version is 'Phiên bản khóa | Version of the key';
comment on column ops.pseudonym_key.check_value is 'Giá trị kiểm tra (HMAC của một chuỗi cố định) | Check value (HMAC of a fixed text)';
comment on column ops.pseudonym_key.first_used_at is 'Dùng lần đầu lúc | First used at';
comment on column ops.pseudonym_key.deleted_at is 'Khóa bị xóa lúc; dòng mang phiên bản này không còn gắn với người | Key deleted at; rows of this version can no longer be linked to a person';

grant select, insert on ops.pseudonym_key to dx_loader;
grant select on ops.pseudonym_key to dx_engineer, dx_auditor;
