// What PostgreSQL's JDBC driver shows of the warehouse: rows, foreign keys, remarks, refusals. One line each, tab separated.
// Address, user and password come from the environment, never from the command line.

import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;

public class Jdbc {
    public static void main(String[] questions) throws SQLException {
        try (Connection connection = DriverManager.getConnection(
                System.getenv("DX_URL"), System.getenv("DX_USER"), System.getenv("DX_PASSWORD"))) {
            for (String question : questions) {
                try (ResultSet rows = connection.createStatement().executeQuery(question)) {
                    while (rows.next()) {
                        System.out.println("row\t" + question + "\t" + rows.getString(1));
                    }
                } catch (SQLException refusal) {
                    System.out.println("refused\t" + question + "\t" + refusal.getSQLState());
                }
            }
            DatabaseMetaData catalogue = connection.getMetaData();
            try (ResultSet keys = catalogue.getImportedKeys(null, "core", "fact_dossier")) {
                while (keys.next()) {
                    System.out.println("key\t" + keys.getString("FKCOLUMN_NAME") + "\t" + keys.getString("PKTABLE_NAME"));
                }
            }
            try (ResultSet tables = catalogue.getTables(null, "mart", "system_compliance", null)) {
                while (tables.next()) {
                    System.out.println("table\t" + tables.getString("REMARKS"));
                }
            }
            try (ResultSet columns = catalogue.getColumns(null, "mart", "system_compliance", "complies")) {
                while (columns.next()) {
                    System.out.println("column\t" + columns.getString("REMARKS"));
                }
            }
        }
    }
}
