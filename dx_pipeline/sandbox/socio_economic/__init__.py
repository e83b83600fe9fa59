"""The provincial reporting system of socio-economic indicators (Hệ thống báo cáo KT-XH tỉnh)."""
