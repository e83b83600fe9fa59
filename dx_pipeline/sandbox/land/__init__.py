"""The land database as the sandbox builds it: FoxPro tables of the legacy software, one per district."""
