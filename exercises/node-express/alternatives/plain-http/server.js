"use strict";
// The same API without Express: node:http, and a table of addresses.
const { createServer } = require("node:http");
const { randomUUID, scrypt, timingSafeEqual } = require("node:crypto");
const { Client, Pool, types } = require("pg");

types.setTypeParser(1082, String);

const database = new Pool({ connectionString: process.env.DATABASE_URL, max: 5 });
database.on("error", () => {});

const LARGEST = 16 * 1024;

function fail(status, error, more) {
  return Object.assign(new Error(error), { answer: { status, body: { error, ...more } } });
}

async function sql(text, ...values) {
  try {
    const result = await database.query(text, values);
    return result.rows;
  } catch {
    throw fail(503, "no database");
  }
}

function keyFits(key) {
  const [N, r, p, salt, hash] = process.env.KEY_HASH.split(":");
  const want = Buffer.from(hash, "hex");
  return new Promise((resolve, reject) =>
    scrypt(key, Buffer.from(salt, "hex"), want.length, { N: +N, r: +r, p: +p }, (error, got) =>
      error ? reject(error) : resolve(timingSafeEqual(got, want)),
    ),
  );
}

const mediaType = (request) =>
  (request.headers["content-type"] ?? "").split(";")[0].trim().toLowerCase();

async function readJson(request) {
  if (mediaType(request) !== "application/json") throw fail(415, "JSON only");
  const chunks = [];
  let length = 0;
  await new Promise((resolve, reject) => {
    request.on("data", (chunk) => {
      length += chunk.length;
      if (length <= LARGEST) chunks.push(chunk);
      else reject(fail(413, "too large"));
    });
    request.on("end", resolve);
    request.on("error", reject);
    request.on("close", () => reject(fail(400, "gone")));
  });
  let value;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw fail(400, "no JSON");
  }
  return value;
}

function problem(name, value) {
  if (name === "title") {
    if (typeof value !== "string") return "no text";
    if (value.length > 200 || !/\S/.test(value) || value.indexOf("\u0000") >= 0) return "no title";
  } else if (name === "due") {
    if (value === null) return undefined;
    const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(value);
    if (typeof value !== "string" || !parts) return "no day";
    const [year, month, day] = parts.slice(1).map(Number);
    const days = [31, year % 4 || (year % 100 === 0 && year % 400) ? 28 : 29, 31, 30, 31, 30];
    const last = [...days, 31, 31, 30, 31, 30, 31][month - 1];
    if (year < 1 || !(day >= 1 && day <= last)) return "no such day";
  } else if (name === "done") {
    if (value !== true && value !== false) return "true or false";
  }
  return undefined;
}

function examine(value, known, needed) {
  if (typeof value !== "object" || value === null || value instanceof Array) {
    throw fail(400, "no object");
  }
  const wrong = new Map();
  for (const name of needed) if (!Object.keys(value).includes(name)) wrong.set(name, "missing");
  for (const name of Object.keys(value)) {
    const text = known.includes(name) ? problem(name, value[name]) : "unknown";
    if (text) wrong.set(name, text);
  }
  if (wrong.size) throw fail(400, "wrong fields", { fields: Object.fromEntries(wrong) });
  return value;
}

// Each takes (request, id, query) and gives the answer.
const routes = {
  "GET /health": async () => ({ body: { status: "ok" } }),

  "GET /tasks": async (request, id, query) => {
    const done = query.get("done");
    if (done !== null && done !== "true" && done !== "false") throw fail(400, "done?");
    const all = await sql("SELECT id, title, due, done FROM tasks ORDER BY id");
    return { body: done === null ? all : all.filter((task) => String(task.done) === done) };
  },

  "POST /tasks": async (request) => {
    const { title, due = null } = examine(await readJson(request), ["title", "due"], ["title"]);
    const [task] = await sql("INSERT INTO tasks (title, due) VALUES ($1, $2) RETURNING *", title, due);
    return { status: 201, body: task, headers: { Location: `/tasks/${task.id}` } };
  },

  "GET /tasks/:id": async (request, id) => {
    const [task] = await sql("SELECT * FROM tasks WHERE id = $1", id);
    return { body: task };
  },

  "PATCH /tasks/:id": async (request, id) => {
    const change = examine(await readJson(request), ["title", "due", "done"], []);
    if (!Object.keys(change).length) throw fail(400, "nothing to do");
    const [old] = await sql("SELECT * FROM tasks WHERE id = $1", id);
    if (!old) throw fail(404, "no task");
    const { title, due, done } = { ...old, ...change };
    const update = "UPDATE tasks SET title = $2, due = $3, done = $4 WHERE id = $1 RETURNING *";
    const [task] = await sql(update, id, title, due, done);
    if (change.done) setImmediate(notify, task);
    return { body: task };
  },

  "DELETE /tasks/:id": async (request, id) => {
    const gone = await sql("DELETE FROM tasks WHERE id = $1 RETURNING *", id);
    return { status: gone.length ? 204 : 404, body: gone[0] };
  },

  "POST /tasks/import": importList,
};

async function notify(task) {
  try {
    const answer = await fetch(process.env.HOOK_URL, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(task),
      signal: AbortSignal.timeout(3000),
    });
    await answer.arrayBuffer();
  } catch (error) {
    console.log("hook:", error.message);
  }
}

// A connection of its own for each list: ending it is all that is to be done when something fails.
async function importList(request) {
  if (mediaType(request) !== "application/x-ndjson") throw fail(415, "NDJSON only");
  const client = new Client({ connectionString: process.env.DATABASE_URL });
  client.on("error", () => {});
  const run = (...words) => client.query(...words).catch(() => Promise.reject(fail(503, "no database")));
  try {
    await client.connect().catch(() => Promise.reject(fail(503, "no database")));
    await run("BEGIN");
    const imported = await insertLines(request, run);
    await run("COMMIT");
    return { body: { imported } };
  } finally {
    client.end().catch(() => {});
  }
}

async function insertLines(request, run) {
  let left = Buffer.alloc(0);
  let number = 0;
  let imported = 0;
  let bad;
  let batch = [];
  const flush = async () => {
    if (batch.length === 0) return;
    const places = batch.map((_, at) => `($${2 * at + 1}, $${2 * at + 2})`).join();
    await run(`INSERT INTO tasks (title, due) VALUES ${places}`, batch.flat());
    imported += batch.length;
    batch = [];
  };
  const take = async (line) => {
    number += 1;
    if (bad || !line.toString().trim()) return;
    try {
      const { title, due = null } = examine(JSON.parse(line.toString()), ["title", "due"], ["title"]);
      batch.push([title, due]);
    } catch (error) {
      bad = fail(400, `line ${number} is wrong`, { ...error.answer?.body, line: number });
    }
    if (batch.length >= 200) await flush();
  };
  // A wrong list is read to its end: who still sends does not read an answer.
  for await (const chunk of request) {
    left = Buffer.concat([left, chunk]);
    for (let end = left.indexOf(10); end >= 0; end = left.indexOf(10)) {
      await take(left.subarray(0, end));
      left = left.subarray(end + 1);
    }
  }
  await take(left);
  if (bad) throw bad;
  await flush();
  return imported;
}

async function answerTo(request, url) {
  if (!["GET", "HEAD"].includes(request.method)) {
    const [scheme, key] = (request.headers.authorization ?? "").split(" ");
    if (scheme.toLowerCase() !== "bearer" || !key || !(await keyFits(key))) {
      throw fail(401, "no key");
    }
  }
  const exact = routes[`${request.method} ${url.pathname}`];
  if (exact) return exact(request, undefined, url.searchParams);
  const [, id] = /^\/tasks\/(\d+)$/.exec(url.pathname) ?? [];
  const one = id && Number(id) < 2 ** 31 && routes[`${request.method} /tasks/:id`];
  const answer = one ? await one(request, Number(id)) : {};
  if (!answer.body && answer.status !== 204) throw fail(404, "nothing here");
  return answer;
}

let busy = 0;
let leaving = false;

const server = createServer(async (request, response) => {
  busy += 1;
  const start = Date.now();
  const url = new URL(request.url, "http://here");
  const wanted = request.headers["x-request-id"];
  const id = wanted && !/[^0-9a-z-]/i.test(wanted) && wanted.length < 65 ? wanted : randomUUID();
  response.on("close", () => {
    busy -= 1;
    if (leaving && busy === 0) server.closeAllConnections();
  });
  let answer;
  try {
    answer = await answerTo(request, url);
  } catch (error) {
    answer = error.answer ?? { status: 500, body: { error: "a mistake of ours" } };
  }
  const { status = 200, body, headers } = answer;
  response.writeHead(status, { "Content-Type": "application/json", "X-Request-Id": id, ...headers });
  response.end(status === 204 ? undefined : JSON.stringify(body));
  const line = { id, method: request.method, path: url.pathname, status, ms: Date.now() - start };
  process.stdout.write(`${JSON.stringify(line)}\n`);
});

server.listen(Number(process.env.PORT), "127.0.0.1");

process.on("SIGTERM", () => {
  if (leaving) return;
  leaving = true;
  setTimeout(() => process.exit(3), 1000 * process.env.DRAIN_SECONDS).unref();
  server.close(() => database.end().then(() => process.exit(0)));
  if (busy === 0) server.closeAllConnections();
});
