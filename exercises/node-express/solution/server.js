// A team's tasks: an API in Express on top of PostgreSQL.
import crypto from "node:crypto";
import { promisify } from "node:util";
import express from "express";
import pg from "pg";

const LIMIT = "16kb";
const AT_ONCE = 500; // lines of a list that go to the database together
const scrypt = promisify(crypto.scrypt); // in a thread of its own; scryptSync would stop us all

pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text); // a day has no time, and no zone
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
// Without a listener, a connection that is cut while nobody uses it would end the process.
pool.on("error", (error) => console.error(`an idle connection: ${error.message}`));

/** What a client is told instead of an answer. */
class Refused extends Error {
  constructor(status, message, more = {}) {
    super(message);
    this.status = status;
    this.more = more;
  }
}

/** What `asked` of the database gives; whatever goes wrong there is not the client's business. */
async function database(asked) {
  try {
    return await asked;
  } catch (error) {
    console.error(`the database: ${error.message}`);
    throw new Refused(503, "the database does not answer; try again later");
  }
}

async function rows(text, values) {
  return (await database(pool.query(text, values))).rows;
}

// -- what a task is -------------------------------------------------------------------------------

const isDay = (value) => {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\d$/.test(value) || value < "0001") return false;
  const day = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value); // 30 February is none
};
const isTitle = (value) =>
  typeof value === "string" && value.trim() !== "" && value.length <= 200 && !value.includes("\0");

const RULES = {
  title: { holds: isTitle, says: "must be a text of 1 to 200 characters" },
  due: { holds: (value) => value === null || isDay(value), says: "must be a day, or null" },
  done: { holds: (value) => typeof value === "boolean", says: "must be true or false" },
};

/** The fields of a body, all of them right. */
function checked(body, allowed, required = []) {
  if (body === null || typeof body !== "object" || Array.isArray(body)) {
    throw new Refused(400, "a JSON object is expected");
  }
  const fields = Object.create(null);
  for (const name of required) {
    if (!Object.hasOwn(body, name)) fields[name] = "is missing";
  }
  for (const [name, value] of Object.entries(body)) {
    if (!allowed.includes(name)) fields[name] = "is not known";
    else if (!RULES[name].holds(value)) fields[name] = RULES[name].says;
  }
  if (Object.keys(fields).length > 0) throw new Refused(400, "some fields are wrong", { fields });
  return body;
}

const newTask = (body) => checked(body, ["title", "due"], ["title"]);

// -- what every request goes through --------------------------------------------------------------

function tellApart(request, response, next) {
  const given = request.get("X-Request-Id") ?? "";
  const id = /^[A-Za-z0-9-]{1,64}$/.test(given) ? given : crypto.randomUUID();
  const { method, path } = request;
  const begin = performance.now();
  response.set("X-Request-Id", id);
  response.on("finish", () => {
    const ms = Math.round(performance.now() - begin);
    console.log(JSON.stringify({ id, method, path, status: response.statusCode, ms }));
  });
  next();
}

async function isOurs(key) {
  const [n, r, p, salt, hash] = process.env.KEY_HASH.split(":");
  const expected = Buffer.from(hash, "hex");
  const options = { N: Number(n), r: Number(r), p: Number(p) };
  const made = await scrypt(key, Buffer.from(salt, "hex"), expected.length, options);
  return crypto.timingSafeEqual(made, expected);
}

async function onlyTheTeamWrites(request, response, next) {
  const [, key] = /^Bearer (.+)$/i.exec(request.get("Authorization") ?? "") ?? [];
  if (!["GET", "HEAD"].includes(request.method) && !(key && (await isOurs(key)))) {
    response.set("WWW-Authenticate", "Bearer");
    throw new Refused(401, "the key of the team is needed");
  }
  next();
}

function onlyJson(request, response, next) {
  if (!request.is("application/json")) throw new Refused(415, "send application/json");
  next();
}

// -- the addresses --------------------------------------------------------------------------------

const app = express();
app.use(tellApart, onlyTheTeamWrites);
const json = [onlyJson, express.json({ limit: LIMIT })];

app.get("/health", (request, response) => {
  response.json({ status: "ok" });
});

app.param("id", (request, response, next, id) => {
  // Whatever is no number of PostgreSQL's type integer is no task's.
  if (!/^[0-9]{1,10}$/.test(id) || Number(id) > 2147483647) throw new Refused(404, "no such task");
  next();
});

function found([task]) {
  if (task === undefined) throw new Refused(404, "no such task");
  return task;
}

app.get("/tasks", async (request, response) => {
  const { done } = request.query;
  if (![undefined, "true", "false"].includes(done)) {
    throw new Refused(400, "done must be true or false");
  }
  const select = "SELECT * FROM tasks WHERE $1::boolean IS NULL OR done = $1 ORDER BY id";
  response.json(await rows(select, [done]));
});

app.post("/tasks", json, async (request, response) => {
  const { title, due } = newTask(request.body);
  const insert = "INSERT INTO tasks (title, due) VALUES ($1, $2) RETURNING *";
  const [task] = await rows(insert, [title, due]);
  response.status(201).location(`/tasks/${task.id}`).json(task);
});

app.get("/tasks/:id", async (request, response) => {
  response.json(found(await rows("SELECT * FROM tasks WHERE id = $1", [request.params.id])));
});

app.patch("/tasks/:id", json, async (request, response) => {
  const change = checked(request.body, Object.keys(RULES));
  const names = Object.keys(change); // none but those of RULES
  if (names.length === 0) throw new Refused(400, "nothing to change");
  const set = names.map((name, index) => `${name} = $${index + 2}`).join(", ");
  const update = `UPDATE tasks SET ${set} WHERE id = $1 RETURNING *`;
  const task = found(await rows(update, [request.params.id, ...Object.values(change)]));
  response.json(task);
  if (change.done) tell(task);
});

app.delete("/tasks/:id", async (request, response) => {
  found(await rows("DELETE FROM tasks WHERE id = $1 RETURNING id", [request.params.id]));
  response.status(204).end();
});

/** In the background: nobody waits for it, so nobody else would catch what goes wrong. */
function tell(task) {
  const body = JSON.stringify(task);
  const headers = { "Content-Type": "application/json" };
  fetch(process.env.HOOK_URL, { method: "POST", headers, body }).catch((error) =>
    console.error(`nobody could be told of task ${task.id}: ${error.message}`),
  );
}

// -- long lists -----------------------------------------------------------------------------------

/** The lines of a stream as they come. A stream that breaks off raises. */
async function* lines(stream) {
  const decoder = new TextDecoder(); // a letter may come in two pieces
  let rest = "";
  // The loop must not destroy the stream at its end: the answer goes over the same connection.
  for await (const piece of stream.iterator({ destroyOnReturn: false })) {
    const whole = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = whole.pop();
    yield* whole;
  }
  yield rest;
}

function lineToTask(line, number) {
  try {
    return newTask(JSON.parse(line));
  } catch (error) {
    throw new Refused(400, `line ${number}: ${error.message}`, { ...error.more, line: number });
  }
}

/** Inserts all tasks of a list; how many they were. */
async function insertAll(client, list) {
  const insert = "INSERT INTO tasks (title, due) SELECT * FROM unnest($1::text[], $2::date[])";
  let [number, imported, waiting] = [0, 0, []];
  const send = async () => {
    const values = [waiting.map((task) => task.title), waiting.map((task) => task.due)];
    await database(client.query(insert, values));
    imported += waiting.length;
    waiting = [];
  };
  for await (const line of list) {
    number += 1;
    if (line.trim() === "") continue;
    waiting.push(lineToTask(line, number));
    if (waiting.length === AT_ONCE) await send();
  }
  await send();
  return imported;
}

app.post("/tasks/import", async (request, response) => {
  if (!request.is("application/x-ndjson")) throw new Refused(415, "send application/x-ndjson");
  const client = await database(pool.connect());
  let imported;
  try {
    await database(client.query("BEGIN"));
    imported = await insertAll(client, lines(request));
    await database(client.query("COMMIT"));
  } catch (error) {
    client.release(true); // closes the connection, and PostgreSQL rolls back
    throw error;
  }
  client.release();
  response.json({ imported });
});

// -- what goes wrong ------------------------------------------------------------------------------

app.use((request) => {
  throw new Refused(404, `nothing is at ${request.path}`);
});

// Express knows by the four arguments that this is for errors.
app.use((error, request, response, next) => {
  if (response.headersSent) return next(error);
  const status = error.status ?? 500;
  if (status === 500) console.error(error);
  const message = status === 500 ? "something went wrong here" : error.message;
  response.status(status).json({ error: message, ...error.more });
});

// -- beginning and end ----------------------------------------------------------------------------

const server = app.listen(process.env.PORT, "127.0.0.1");

process.once("SIGTERM", () => {
  server.close(async () => {
    await pool.end();
    process.exit(0);
  });
  // A connection whose last request was answered just now would be kept open for the next one.
  setInterval(() => server.closeIdleConnections(), 50);
  setTimeout(() => process.exit(1), Number(process.env.DRAIN_SECONDS) * 1000);
});
