-- Sets of indicators in force at the end of the period.
select
    c.set_code,
    max(c.set_name_vi) as name_vi,
    max(c.set_name_en) as name_en,
    max(c.source_vi) as source_vi,
    max(c.source_en) as source_en,
    max(c.set_note_vi) as note_vi,
    max(c.set_note_en) as note_en,
    max(c.valid_from)::text as valid_from,
    max(c.total_points) as total_points,
    max(c.ranked_from_share) as ranked_from_share,
    max(c.state) as state,
    max(c.revision) as revision,
    count(c.component_code) as components,
    count(c.measure) as measured,
    count(c.indicator) as followed
from mart.indicator_component as c
where c.valid_from <= cast(:ends_on as date) and c.valid_to > cast(:ends_on as date)
group by c.set_code
order by c.set_code
