-- Which key made the pseudonyms in a stage table: a key rotated between judging and publishing must not label them.

alter table ops.stage_content add column if not exists key_version smallint;

comment on column ops.stage_content.key_version is 'Phiên bản khóa đã tạo bí danh trong bảng tạm; trống nếu không có bí danh | Version of the key that made the pseudonyms there; empty when there are none';

-- What was staged without saying by which key is judged again when it is published.
delete from ops.stage_content;
