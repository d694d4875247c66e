// Express with a router of its own, handlers that pass errors on, and streams for the lists.
const express = require("express");
const { log, key, json, failed } = require("./lib/middleware.js");
const store = require("./lib/store.js");
const tasks = require("./lib/tasks.js");

const app = express().disable("x-powered-by");
app.use(log);
app.get("/health", (req, res) => res.send({ status: "ok" }));
app.use(key);
app.use("/tasks", tasks);
app.use((req, res) => res.status(404).send({ error: "not found" }));
app.use(failed);

const server = app.listen(process.env.PORT, "127.0.0.1");
const open = new Map();
server.on("connection", (socket) => {
  open.set(socket, 0);
  socket.on("close", () => open.delete(socket));
});
server.on("request", ({ socket }, response) => {
  open.set(socket, open.get(socket) + 1);
  response.on("close", () => {
    if (!open.has(socket)) return;
    open.set(socket, open.get(socket) - 1);
    if (!server.listening) leave();
  });
});

function leave() {
  for (const [socket, busy] of open) if (busy === 0) socket.destroySoon();
}

process.on("SIGTERM", () => {
  server.close(() => {
    store.close().finally(() => process.exit());
  });
  leave();
  setTimeout(() => process.exit(9), process.env.DRAIN_SECONDS * 1000);
});
