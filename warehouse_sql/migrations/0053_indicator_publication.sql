-- What was published, as it was published: versioned, never overwritten. Nobody is granted to change or delete a row.
-- published_at is also the instant the values were known at: nothing of the warehouse was being published meanwhile, so
-- core.<table>_as_known(published_at) are exactly the rows behind it.

-- Grain: one row per published version of a mart or figure in one period.
create table if not exists ops.indicator_publication (
    publication_id bigint generated always as identity,
    subject_kind text not null,
    subject text not null,
    period text not null,
    version integer not null,
    published_at timestamptz not null,
    published_by text not null,
    note text,
    definition text not null,
    definition_hash text not null,
    values_hash text not null,
    row_count bigint not null,
    batches jsonb not null,
    constraint indicator_publication_pkey primary key (publication_id),
    constraint indicator_publication_version_once unique (subject, period, version),
    constraint indicator_publication_kind_known check (subject_kind in ('mart', 'figure')),
    constraint indicator_publication_version_counts check (version >= 1),
    constraint indicator_publication_has_publisher check (published_by <> '')
);

-- Grain: one row per row of a published version; content holds the cells by their column names.
create table if not exists ops.indicator_publication_row (
    publication_id bigint not null references ops.indicator_publication (publication_id),
    row_key text not null,
    content jsonb not null,
    constraint indicator_publication_row_pkey primary key (publication_id, row_key)
);

-- For BI: every published version with its rows. The newest one of a report is the one with the highest version.
create or replace view mart.published_version as
select
    p.subject,
    p.period,
    p.version,
    p.version = max(p.version) over (partition by p.subject, p.period) as is_newest,
    p.published_at,
    p.published_by,
    p.note,
    r.row_key,
    r.content
from ops.indicator_publication as p
inner join ops.indicator_publication_row as r on p.publication_id = r.publication_id;

comment on table ops.indicator_publication is 'Các lần công bố số liệu, không bao giờ ghi đè | Publications of figures, never overwritten';
comment on column ops.indicator_publication.publication_id is 'Số của lần công bố | Number of the publication';
comment on column ops.indicator_publication.subject_kind is 'Loại: mart (báo cáo) hoặc figure (số liệu) | Kind: mart or figure';
comment on column ops.indicator_publication.subject is 'Tên báo cáo hoặc mã số liệu | Name of the mart or code of the figure';
comment on column ops.indicator_publication.period is 'Kỳ | Period';
comment on column ops.indicator_publication.version is 'Phiên bản của kỳ, từ 1 | Version of the period, from 1';
comment on column ops.indicator_publication.published_at is 'Thời điểm công bố, cũng là thời điểm số liệu được biết | Published at, which is also the instant the values were known at';
comment on column ops.indicator_publication.published_by is 'Người công bố | Published by';
comment on column ops.indicator_publication.note is 'Ghi chú | Note';
comment on column ops.indicator_publication.definition is 'Câu SQL đã tính ra số liệu | SQL that gave the values';
comment on column ops.indicator_publication.definition_hash is 'SHA-256 của câu SQL | SHA-256 of the SQL';
comment on column ops.indicator_publication.values_hash is 'SHA-256 của các giá trị | SHA-256 of the values';
comment on column ops.indicator_publication.row_count is 'Số dòng | Rows';
comment on column ops.indicator_publication.batches is 'Lô mới nhất của từng bộ dữ liệu khi công bố | Last batch of each dataset at that time';

comment on table ops.indicator_publication_row is 'Các dòng đã công bố | Rows as published';
comment on column ops.indicator_publication_row.publication_id is 'Lần công bố | Publication';
comment on column ops.indicator_publication_row.row_key is 'Khóa của dòng trong báo cáo | Key of the row in the mart';
comment on column ops.indicator_publication_row.content is 'Các ô theo tên cột | Cells by column name';

comment on view mart.published_version is 'Mọi phiên bản đã công bố và các dòng của nó | Every published version with its rows';
comment on column mart.published_version.subject is 'Tên báo cáo hoặc mã số liệu | Name of the mart or code of the figure';
comment on column mart.published_version.period is 'Kỳ | Period';
comment on column mart.published_version.version is 'Phiên bản, từ 1 | Version, from 1';
comment on column mart.published_version.is_newest is 'Là phiên bản mới nhất của kỳ | Is the newest version of the period';
comment on column mart.published_version.published_at is 'Thời điểm công bố | Published at';
comment on column mart.published_version.published_by is 'Người công bố | Published by';
comment on column mart.published_version.note is 'Ghi chú | Note';
comment on column mart.published_version.row_key is 'Khóa của dòng | Key of the row';
comment on column mart.published_version.content is 'Các ô theo tên cột | Cells by column name';

grant select, insert on ops.indicator_publication to dx_loader;
grant select on ops.indicator_publication to dx_engineer, dx_analyst;
grant select, insert on ops.indicator_publication_row to dx_loader;
grant select on ops.indicator_publication_row to dx_engineer, dx_analyst;
grant select on mart.published_version to dx_loader, dx_engineer, dx_analyst, dx_bi;
