-- What each mart was last computed from, so that a mart whose inputs have not changed is not computed again.

-- What a batch changed beside the rows of its ledger step: other tables of its load file, rows its statements touched.
alter table ops.batch add column if not exists also_changed bigint not null default 0;

comment on column ops.batch.also_changed is 'Số dòng các bước nạp khác đã thay đổi, ngoài bước ghi sổ | Rows that the other steps of the load file changed, beside the ledger step';

-- Grain: one row per mart that was ever refreshed.
create table if not exists ops.mart_refresh (
    mart text not null,
    definition text not null,
    inputs text not null,
    refreshed_at timestamptz not null,
    constraint mart_refresh_pkey primary key (mart)
);

comment on table ops.mart_refresh is 'Lần tính gần nhất của từng bảng mart và dữ liệu đầu vào khi đó | Last refresh of each mart and what it was computed from';
comment on column ops.mart_refresh.mart is 'Tên mart | Name of the mart';
comment on column ops.mart_refresh.definition is 'SHA-256 của tệp SQL | SHA-256 of the SQL file';
comment on column ops.mart_refresh.inputs is 'Lô gần nhất làm thay đổi từng bộ dữ liệu đầu vào, và số tệp SQL đã chạy trên kho | Last batch that changed each input dataset, and the number of SQL files run on the warehouse';
comment on column ops.mart_refresh.refreshed_at is 'Thời điểm tính | Computed at';

grant select, insert, update on ops.mart_refresh to dx_loader;
grant select on ops.migration to dx_loader;
grant select on ops.mart_refresh to dx_engineer, dx_analyst;
