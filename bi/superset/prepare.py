"""Run by the Python of Superset's environment: its own tables, its roles, and the administrator. One start instead of three.

The administrator's password comes on standard input, so that no list of processes shows it.
"""

import logging
import sys

from superset.app import create_app

logging.disable(logging.WARNING)
ADMIN = "admin"


def main() -> None:
    password = sys.stdin.readline().strip()
    app = create_app()
    with app.app_context():
        from flask_migrate import upgrade
        from superset import security_manager
        from superset.extensions import appbuilder

        upgrade()
        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        user = security_manager.find_user(username=ADMIN)
        if user is None:
            role = security_manager.find_role("Admin")
            made = security_manager.add_user(ADMIN, "Quản trị", "Superset", "admin@localhost", role, password=password)
            if not made:
                sys.exit("the administrator could not be made")
        else:
            security_manager.reset_password(user.id, password)


if __name__ == "__main__":
    main()
