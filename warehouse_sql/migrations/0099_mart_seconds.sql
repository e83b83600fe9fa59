-- How long each mart took to compute, so that the slow ones are seen without reading the server's log.
alter table ops.mart_refresh add column if not exists seconds numeric;

comment on column ops.mart_refresh.seconds is 'Số giây tính lần gần nhất | Seconds its last computation took';
