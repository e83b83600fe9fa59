"""The department of information's database: digital infrastructure, community teams, systems, agencies."""
