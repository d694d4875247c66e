const { Router } = require("express");
const { pipeline, Transform, Writable } = require("node:stream");
const { StringDecoder } = require("node:string_decoder");
const { Problem, json } = require("./middleware.js");
const store = require("./store.js");
const check = require("./rules.js");

const router = Router();
const whole = { allowed: ["title", "due"], required: ["title"] };

function one(res, next, send) {
  return ([task]) => (task ? send(task) : next(new Problem(404, { error: "no such task" })));
}

router.param("id", (req, res, next, id) => {
  const number = Number(id);
  const fits = /^\d+$/.test(id) && number > 0 && number <= 0x7fffffff;
  next(fits ? undefined : new Problem(404, { error: "no such task" }));
});

router.get("/", (req, res, next) => {
  const { done } = req.query;
  if (done !== undefined && !/^(true|false)$/.test(done)) {
    return next(new Problem(400, { error: "done is true or false" }));
  }
  const where = done === undefined ? "" : `WHERE done IS ${done.toUpperCase()}`;
  store.query(`SELECT * FROM tasks ${where} ORDER BY id ASC`).then((all) => res.send(all), next);
});

router.post("/", json, (req, res, next) => {
  const { title, due } = check(req.body, whole);
  store
    .query("INSERT INTO tasks (title, due) VALUES ($1, $2) RETURNING id, title, due, done", [title, due])
    .then(([task]) => res.status(201).location(`/tasks/${task.id}`).send(task))
    .catch(next);
});

router.get("/:id", (req, res, next) => {
  store
    .query("SELECT * FROM tasks WHERE id = $1", [req.params.id])
    .then(one(res, next, (task) => res.send(task)), next);
});

router.patch("/:id", json, (req, res, next) => {
  const { title, due, done } = check(req.body, { allowed: ["title", "due", "done"] });
  if (Object.keys(req.body).length === 0) return next(new Problem(400, { error: "change what?" }));
  const values = [req.params.id, title, "due" in req.body, due, done];
  const update = `UPDATE tasks SET title = coalesce($2, title), done = coalesce($5, done),
      due = CASE WHEN $3 THEN $4::date ELSE due END WHERE id = $1 RETURNING *`;
  store
    .query(update, values)
    .then(
      one(res, next, (task) => {
        res.send(task);
        if (done) tell(task);
      }),
      next,
    );
});

function tell(task) {
  const { request } = require("node:http");
  const headers = { "content-type": "application/json" };
  const call = request(process.env.HOOK_URL, { method: "POST", headers, timeout: 5000 });
  call.on("response", (answer) => answer.resume());
  call.on("timeout", () => call.destroy());
  call.on("error", (error) => console.warn("hook:", error.code));
  call.end(JSON.stringify(task));
}

router.delete("/:id", (req, res, next) => {
  store
    .query("DELETE FROM tasks WHERE id = $1 RETURNING id", [req.params.id])
    .then(one(res, next, () => res.sendStatus(204)), next);
});

/** Bytes in, tasks out. */
class Parser extends Transform {
  decoder = new StringDecoder("utf8");
  rest = "";
  line = 0;

  constructor() {
    super({ readableObjectMode: true, readableHighWaterMark: 100 });
  }

  _transform(bytes, encoding, done) {
    const lines = (this.rest + this.decoder.write(bytes)).split(/\r?\n/);
    this.rest = lines.pop();
    done(lines.reduce((error, text) => error || this.take(text), undefined));
  }

  _flush(done) {
    done(this.take(this.rest));
  }

  take(text) {
    this.line += 1;
    if (/^\s*$/.test(text)) return undefined;
    try {
      this.push(check(JSON.parse(text), whole));
      return undefined;
    } catch ({ body }) {
      return new Problem(400, { error: "please correct this line", ...body, line: this.line });
    }
  }
}

router.post("/import", async (req, res, next) => {
  if (req.get("content-type") !== "application/x-ndjson") {
    return next(new Problem(415, { error: "application/x-ndjson, please" }));
  }
  const client = await store.connect();
  const query = (...words) => client.query(...words).catch(store.away);
  let imported = 0;
  const insert = async (tasks) => {
    const rows = JSON.stringify(tasks.map(({ chunk }) => chunk));
    await query(
      `INSERT INTO tasks (title, due) SELECT title, due
         FROM json_to_recordset($1) AS list (title text, due date)`,
      [rows],
    );
    imported += tasks.length;
  };
  const writer = new Writable({
    objectMode: true,
    highWaterMark: 300,
    write: (chunk, encoding, done) => insert([{ chunk }]).then(() => done(), done),
    writev: (tasks, done) => insert(tasks).then(() => done(), done),
  });
  // The pipeline would destroy the request, and the connection with it, when a line is wrong.
  const bytes = new Transform({ transform: (piece, encoding, done) => done(null, piece) });
  req.pipe(bytes);
  req.on("close", () => req.complete || bytes.destroy(new Error("the client is gone")));
  try {
    await query("BEGIN");
  } catch (error) {
    client.release(true);
    return next(error);
  }
  pipeline(bytes, new Parser(), writer, async (error) => {
    if (error) {
      client.release(true);
      req.resume();
      return next(error);
    }
    try {
      await query("COMMIT");
      client.release();
      res.send({ imported });
    } catch (late) {
      client.release(true);
      next(late);
    }
  });
});

module.exports = router;
