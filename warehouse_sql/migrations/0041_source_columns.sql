-- The structure of a source beside its fingerprint, so that its history can be shown and a change named.

alter table ops.batch add column if not exists source_columns jsonb;

comment on column ops.batch.source_columns is 'Các cột của nguồn lúc đọc: tên, kiểu, được trống, vị trí trong khóa chính | Columns of the source when it was read: name, type, nullable, place in the primary key';
