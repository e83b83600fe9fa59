-- Every table that a batch may change and a report or a published figure reads keeps its former versions.
-- Those of the one-stop system have theirs since 0050. Code lists and maps change by migrations only, and have none.
-- Of schema restricted nothing is kept: reports read the counts, and former versions of persons would be more of them.

select ops.keep_history('core.fact_infrastructure_month');
select ops.keep_history('core.fact_community_team');
select ops.keep_history('core.dim_information_system');
select ops.keep_history('core.fact_agency_readiness');
select ops.keep_history('core.dim_task');
select ops.keep_history('core.fact_task_status');
select ops.keep_history('core.bridge_task_agency');
select ops.keep_history('core.fact_eid_month');
select ops.keep_history('core.fact_poor_household_year');
select ops.keep_history('core.fact_staff_year');
select ops.keep_history('core.fact_budget');
select ops.keep_history('core.fact_land_count');
select ops.keep_history('core.fact_business');
select ops.keep_history('core.dim_health_facility');
select ops.keep_history('core.fact_health_month');
select ops.keep_history('core.fact_school_year');
select ops.keep_history('core.fact_civil_status_month');
select ops.keep_history('core.fact_satisfaction');
select ops.keep_history('core.fact_petition');
select ops.keep_history('core.fact_service_transaction_day');
select ops.keep_history('core.dim_indicator');
select ops.keep_history('core.fact_indicator_listed');
select ops.keep_history('core.fact_indicator_reported');
select ops.keep_history('core.fact_field_report');
select ops.keep_history('core.dim_field');

-- The unknown members were there before anything was loaded.
update core.dim_field
set loaded_at = timestamptz '1900-01-01 00:00:00+00'
where field_sk < 0;
