const pg = require("pg");
const { Problem } = require("./middleware.js");

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  types: { getTypeParser: (oid, form) => (oid === 1082 ? (day) => day : pg.types.getTypeParser(oid, form)) },
});
pool.on("error", (error) => console.warn("database:", error.code));

const away = () => {
  throw new Problem(503, { error: "the database is away" });
};

module.exports = {
  query: (text, values) => pool.query(text, values).then((result) => result.rows, away),
  connect: () => pool.connect().catch(away),
  close: () => pool.end(),
  away,
};
