"""Where each column comes from: read out of the SQL itself, told as OpenLineage events and to Dagster."""
