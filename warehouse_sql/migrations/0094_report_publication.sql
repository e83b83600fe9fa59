-- Reports are published like marts and figures: the numbers of each section, with version and date, never
-- overwritten.
alter table ops.indicator_publication drop constraint if exists indicator_publication_subject_known;
alter table ops.indicator_publication drop constraint if exists indicator_publication_kind_known;
alter table ops.indicator_publication add constraint indicator_publication_kind_known
check (subject_kind in ('mart', 'figure', 'report'));

comment on column ops.indicator_publication.subject_kind is 'Loại: mart, figure (số liệu) hoặc report (báo cáo) | Kind: mart, figure or report';
