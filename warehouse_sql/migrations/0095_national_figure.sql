-- Scores as the national portal shows them, entered by the province where it has them, to be set beside its own.

-- Grain: one row per set, period, unit, component and moment of entry; the newest one counts.
create table if not exists core.national_figure (
    set_code text not null,
    period text not null,
    unit_code text not null,
    component_code text not null,
    score numeric not null,
    source text not null,
    entered_by text not null,
    entered_at timestamptz not null,
    constraint national_figure_pkey primary key (set_code, period, unit_code, component_code, entered_at)
);

comment on table core.national_figure is 'Điểm theo Cổng Dịch vụ công quốc gia, không bao giờ ghi đè | Scores as the national portal shows them, never overwritten';
comment on column core.national_figure.set_code is 'Mã bộ chỉ số | Code of the set';
comment on column core.national_figure.period is 'Kỳ | Period';
comment on column core.national_figure.unit_code is 'Mã đơn vị; * là toàn tỉnh | Code of the unit; * for the province';
comment on column core.national_figure.component_code is 'Mã thành phần; * là cả bộ | Component; * for the whole set';
comment on column core.national_figure.score is 'Điểm trên Cổng quốc gia | Score on the national portal';
comment on column core.national_figure.source is 'Nguồn, ngày xem | Source and day it was looked up';
comment on column core.national_figure.entered_by is 'Ai nhập | Who entered it';
comment on column core.national_figure.entered_at is 'Thời điểm nhập | Entered at';

grant select, insert on core.national_figure to dx_loader;
grant select on core.national_figure to dx_engineer, dx_analyst;
