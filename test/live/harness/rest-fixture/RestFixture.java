import java.util.Map;
import org.apache.iceberg.CatalogUtil;
import org.apache.iceberg.rest.RESTCatalogAdapter;
import org.apache.iceberg.rest.RESTCatalogServlet;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;

/** Iceberg's own REST catalog, as its tests run it, on loopback: RestFixture PORT DATABASE WAREHOUSE. Ends with its standard input. */
public class RestFixture {
  public static void main(String[] args) throws Exception {
    var settings =
        Map.of("uri", "jdbc:sqlite:" + args[1], "warehouse", args[2], "jdbc.schema-version", "V1", "io-impl", "org.apache.iceberg.hadoop.HadoopFileIO");
    var catalog = CatalogUtil.loadCatalog("org.apache.iceberg.jdbc.JdbcCatalog", "fixture", settings, new org.apache.hadoop.conf.Configuration());
    var context = new ServletContextHandler(ServletContextHandler.NO_SESSIONS);
    context.addServlet(new ServletHolder(new RESTCatalogServlet(new RESTCatalogAdapter(catalog))), "/*");
    var server = new Server();
    var connector = new ServerConnector(server);
    connector.setHost("127.0.0.1");
    connector.setPort(Integer.parseInt(args[0]));
    server.addConnector(connector);
    server.setHandler(context);
    server.start();
    System.in.read();
    System.exit(0);
  }
}
