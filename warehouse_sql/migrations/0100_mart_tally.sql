-- What marts have counted is kept, so that an hour in which five thousand dossiers changed costs what five thousand do,
-- not what ten million do. mart_tally.<mart>__<tally> holds the counts; the loader makes these tables and fills them
-- from the SQL of the mart (-- dx:tally), nobody else reads them. They can be dropped at any time: the next refresh
-- counts everything again.

create schema if not exists mart_tally;
comment on schema mart_tally is 'Số đếm trung gian của các bảng mart, do đường ống tự tạo và tự dựng lại | Counts that marts are made from, made and rebuilt by the pipeline';
revoke all on schema mart_tally from public;
grant usage, create on schema mart_tally to dx_loader;

-- Grain: one row per mart whose tallies are kept.
create table if not exists ops.mart_tally (
    mart text not null,
    definition text not null,
    batches int8multirange not null,
    last_period integer,
    dossiers bigint not null,
    differing bigint not null default 0,
    built_at timestamptz not null,
    kept_at timestamptz not null,
    constraint mart_tally_pkey primary key (mart)
);

comment on table ops.mart_tally is 'Số đếm trung gian của từng bảng mart đã gồm những lô nào | Which batches the kept counts of each mart hold';
comment on column ops.mart_tally.mart is 'Tên mart | Name of the mart';
comment on column ops.mart_tally.definition is 'SHA-256 của câu SQL và số tệp SQL đã chạy | SHA-256 of its SQL and of how many SQL files were run';
comment on column ops.mart_tally.batches is 'Các lô đã công bố nằm trong số đếm | Published batches that the counts hold';
comment on column ops.mart_tally.last_period is 'Kỳ cuối khi đếm, để trống nếu không theo kỳ | Last period when it was counted, empty when it does not count by periods';
comment on column ops.mart_tally.dossiers is 'Số hồ sơ khi dựng lại toàn bộ | Dossiers when everything was counted';
comment on column ops.mart_tally.differing is 'Số nhóm khác đi khi đếm lại toàn bộ đầu ngày; phải là 0 | Groups that read otherwise when the day began and everything was counted; should be 0';
comment on column ops.mart_tally.built_at is 'Lúc đếm lại toàn bộ | Everything was counted at';
comment on column ops.mart_tally.kept_at is 'Lúc cập nhật gần nhất | Brought up to date at';

grant select, insert, update, delete on ops.mart_tally to dx_loader;
grant select on ops.mart_tally to dx_engineer;

-- Rows of new batches are found without reading the others.
create index if not exists fact_dossier_by_batch on core.fact_dossier using brin (last_batch_id)
with (pages_per_range = 8);
create index if not exists fact_dossier_event_by_batch on core.fact_dossier_event using brin (last_batch_id)
with (pages_per_range = 8);
