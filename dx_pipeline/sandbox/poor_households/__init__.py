"""The department of labour's lists of poor and near-poor households: FoxPro tables, one per year, all invented."""
