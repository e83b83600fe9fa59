"""Settings of the Superset that `dx bi superset` runs; where its files are comes from the environment."""

import os
from pathlib import Path

HOME = Path(os.environ["DX_SUPERSET_HOME"])
SECRET_KEY = (HOME / "secret_key").read_text(encoding="ascii").strip()
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HOME / 'superset.db'}"
APP_NAME = "Kho dữ liệu tỉnh"
# One server on 127.0.0.1; put Redis and an authentication service here before others share it.
RATELIMIT_STORAGE_URI = "memory://"
ROW_LIMIT = 10_000
SQLLAB_CTAS_NO_LIMIT = False
PREVENT_UNSAFE_DB_CONNECTIONS = True
# Nobody sees anything without a login.
PUBLIC_ROLE_LIKE = None
