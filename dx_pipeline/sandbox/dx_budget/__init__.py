"""Finance's yearly workbooks of the budget for digital transformation (Sở Tài chính)."""
