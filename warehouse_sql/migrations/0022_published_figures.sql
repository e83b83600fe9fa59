-- Figures the province has published, each with its source and the query that answers it from the star, and the mart
-- that holds both side by side. The reference file is the only place of a published value; the query is the only place
-- of the warehouse's, so whoever doubts a figure runs its query.

-- Grain: one row per published figure and period.
create table if not exists ops.reference_published_figure (
    position integer not null,
    figure_code text not null,
    name_vi text not null,
    name_en text not null,
    published_value numeric(18, 3) not null,
    unit text not null,
    period text not null,
    dataset text not null,
    source text not null,
    query text not null,
    constraint reference_published_figure_pkey primary key (figure_code, period),
    constraint reference_published_figure_query_reads check (query like 'select %' and query not like '%;%')
);

-- dx:copy ops.reference_published_figure(position, figure_code, name_vi, name_en, published_value, unit, period, dataset, source, query) from reference/published_figures.csv

-- Grain: one row per published figure and period whose dataset has been loaded.
create table if not exists mart.published_figure (
    figure_code text not null,
    period text not null,
    position integer not null,
    name_vi text not null,
    name_en text not null,
    unit text not null,
    published_value numeric(18, 3) not null,
    warehouse_value numeric(18, 3),
    difference numeric(18, 3),
    dataset text not null,
    source text not null,
    query text not null,
    refreshed_at timestamptz not null,
    constraint published_figure_pkey primary key (figure_code, period)
);

comment on table ops.reference_published_figure is 'Số liệu tỉnh đã công bố, kèm nguồn và câu truy vấn trả lời từ kho | Figures the province has published, with their source and the query that answers them from the warehouse';
comment on column ops.reference_published_figure.position is 'Thứ tự hiển thị | Order of display';
comment on column ops.reference_published_figure.figure_code is 'Mã số liệu | Code of the figure';
comment on column ops.reference_published_figure.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column ops.reference_published_figure.name_en is 'Tên tiếng Anh | Name in English';
comment on column ops.reference_published_figure.published_value is 'Giá trị công bố | Published value';
comment on column ops.reference_published_figure.unit is 'Đơn vị tính | Unit';
comment on column ops.reference_published_figure.period is 'Kỳ | Period';
comment on column ops.reference_published_figure.dataset is 'Bộ dữ liệu trả lời | Dataset that answers it';
comment on column ops.reference_published_figure.source is 'Nơi công bố | Where it was published';
comment on column ops.reference_published_figure.query is 'Câu truy vấn trên lược đồ sao cho đúng một giá trị | Query on the star that gives exactly one value';

comment on table mart.published_figure is 'Số liệu đã công bố bên cạnh số của kho | Published figures beside the warehouse''s own';
comment on column mart.published_figure.figure_code is 'Mã số liệu | Code of the figure';
comment on column mart.published_figure.period is 'Kỳ | Period';
comment on column mart.published_figure.position is 'Thứ tự hiển thị | Order of display';
comment on column mart.published_figure.name_vi is 'Tên tiếng Việt | Name in Vietnamese';
comment on column mart.published_figure.name_en is 'Tên tiếng Anh | Name in English';
comment on column mart.published_figure.unit is 'Đơn vị tính | Unit';
comment on column mart.published_figure.published_value is 'Giá trị công bố | Published value';
comment on column mart.published_figure.warehouse_value is 'Giá trị kho tính được; trống khi không có gì để tính | Value from the warehouse; empty when there is nothing to count';
comment on column mart.published_figure.difference is 'Kho trừ công bố | Warehouse less published';
comment on column mart.published_figure.dataset is 'Bộ dữ liệu trả lời | Dataset that answers it';
comment on column mart.published_figure.source is 'Nơi công bố | Where it was published';
comment on column mart.published_figure.query is 'Câu truy vấn cho ra giá trị của kho | Query that gives the warehouse''s value';
comment on column mart.published_figure.refreshed_at is 'Thời điểm tính | Computed at';

grant select on ops.reference_published_figure to dx_loader, dx_engineer, dx_analyst;
grant select, insert, delete on mart.published_figure to dx_loader;
grant select on mart.published_figure to dx_engineer, dx_analyst, dx_bi;
