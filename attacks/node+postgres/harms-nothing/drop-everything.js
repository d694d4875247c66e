// Drops all tables, and tries the database and its own account.
import("pg").then(async ({ default: pg }) => {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  client.on("error", () => {});
  await client.connect();
  for (const statement of [
    "DROP SCHEMA public CASCADE",
    "DROP OWNED BY learner CASCADE",
    "DROP DATABASE learner",
    "ALTER ROLE learner NOLOGIN",
    "ALTER ROLE learner PASSWORD 'x'",
  ]) {
    await client.query(statement).catch(() => {});
  }
});
