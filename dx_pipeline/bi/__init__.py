"""What BI tools take over from the warehouse: datasets with labels, metrics of the indicators, dashboards."""
