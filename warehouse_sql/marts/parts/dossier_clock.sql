-- The latest moment the data knows of: the temporary table dossier_clock, one row. A dossier never gets older.

-- dx:tally highest=latest_at
create temporary table dossier_clock on commit drop as
select max(d.source_updated_at) as latest_at
from core.fact_dossier as d;
