-- Figures of the national portal are entered by people and never changed; as known at an instant they are those
-- entered until then. The committee's report reads them this way.

create or replace function core.national_figure_as_known(at timestamptz)
returns setof core.national_figure
language sql
stable
as $$
    select f.*
    from core.national_figure as f
    where f.entered_at <= at
$$;

revoke all on function core.national_figure_as_known(timestamptz) from public;
grant execute on function core.national_figure_as_known(timestamptz) to dx_loader, dx_engineer, dx_analyst;
comment on function core.national_figure_as_known(timestamptz) is 'Số liệu của Cổng quốc gia như kho biết tại một thời điểm | Figures of the national portal as known at an instant';
