const crypto = require("node:crypto");
const express = require("express");

class Problem extends Error {
  constructor(status, body) {
    super(body.error);
    Object.assign(this, { status, body });
  }
}

function log(req, res, next) {
  const began = process.hrtime.bigint();
  const wanted = req.headers["x-request-id"] || "";
  const id = wanted.match(/^[\da-z-]{1,64}$/i) ? wanted : crypto.randomBytes(12).toString("hex");
  const path = req.originalUrl.split("?")[0];
  res.setHeader("x-request-id", id);
  res.once("finish", () => {
    const ms = Number((process.hrtime.bigint() - began) / 1_000_000n);
    console.info("%j", { ms, status: res.statusCode, path, method: req.method, id });
  });
  next();
}

let known; // the key that was right once: the slow hash is made of it no more

function key(req, res, next) {
  if (req.method === "GET" || req.method === "HEAD") return next();
  const given = (req.headers.authorization || "").match(/^Bearer\s+(\S+)$/i);
  if (!given) return next(new Problem(401, { error: "who are you?" }));
  if (given[1] === known) return next();
  const [n, r, p, salt, hash] = process.env.KEY_HASH.split(":");
  const cost = { N: parseInt(n), r: parseInt(r), p: parseInt(p) };
  crypto.scrypt(given[1], Buffer.from(salt, "hex"), hash.length / 2, cost, (error, made) => {
    if (error || made.toString("hex") !== hash) {
      return next(new Problem(401, { error: "who are you?" }));
    }
    known = given[1];
    next();
  });
}

const parse = express.json({ limit: 16384, strict: false });

function json(req, res, next) {
  if (!req.is("json")) return next(new Problem(415, { error: "JSON, please" }));
  parse(req, res, next);
}

function failed(error, req, res, next) {
  if (res.headersSent) return next(error);
  const status = error.status || 500;
  const text = status < 500 ? error.message : "try again later";
  res.status(status).send(error instanceof Problem ? error.body : { error: text });
}

module.exports = { Problem, log, key, json, failed };
