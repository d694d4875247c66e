// Logs in to PostgreSQL as everybody else, with no password and with its own.
import("pg").then(async ({ default: pg }) => {
  const own = new URL(process.env.DATABASE_URL);
  for (const user of ["postgres", "checker", "root", "admin"]) {
    for (const password of [own.password, "", "postgres", user]) {
      for (const database of ["learner", "postgres", "template1"]) {
        const { hostname: host, port } = own;
        const client = new pg.Client({ host, port, user, password, database });
        client.on("error", () => {});
        await client.connect().then(
          () => gotThrough(`${user} in ${database}`),
          () => {},
        );
        client.end().catch(() => {});
      }
    }
  }
});
