// A team's tasks: an API in Express on top of PostgreSQL. What is to be done is in README.md.
import express from "express";
import pg from "pg";

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });

const app = express();
app.use(express.json());

app.get("/health", (request, response) => {
  response.json({ status: "ok" });
});

app.get("/tasks", async (request, response) => {
  const { rows } = await pool.query("SELECT * FROM tasks");
  response.json(rows);
});

app.use((request, response) => {
  response.status(501).json({ error: `${request.method} ${request.path} is not written yet` });
});

app.listen(process.env.PORT, "127.0.0.1");
