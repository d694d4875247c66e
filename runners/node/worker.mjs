// One interpreter: the process that imports the learner's modules and calls them.
//
// The JavaScript side of what agent/wire.py and agent/worker.py do for Python. A frame on file
// descriptor 3 is four bytes, the length as a big-endian number, then that much JSON. What JSON
// does not have is an object with the key `$`. Calls that wait for something run side by side.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { Socket } from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { inspect, types } from "node:util";

const MAX_DEPTH = 100;
const MAX_ITEMS = 200_000;
const ENDINGS = ["", ".js", ".mjs", ".cjs"];

const folder = process.argv[2];
const exit = process.exit.bind(process); // a learner's program may put another one there
process.argv = [process.argv[0], folder];

/** A value that cannot cross, or is past a bound. */
class BadData extends Error {}

// -- values to JSON -------------------------------------------------------------------------------

const tagged = (tag, v) => ({ $: tag, v });

/** A value as JSON. Raises BadData for nesting over MAX_DEPTH and too many items. */
function encode(value, depth = 0) {
  if (depth > MAX_DEPTH) throw new BadData(`a value nested more than ${MAX_DEPTH} deep`);
  switch (typeof value) {
    case "undefined":
      return null;
    case "boolean":
    case "string":
      return value;
    case "number":
      return encodeNumber(value);
    case "bigint":
      return tagged("int", `${value < 0n ? "-" : ""}0x${(value < 0n ? -value : value).toString(16)}`);
    case "object":
      return value === null ? null : encodeObject(value, depth + 1);
    default:
      return opaque(value); // functions, symbols
  }
}

function encodeNumber(value) {
  if (Number.isNaN(value)) return tagged("float", "nan");
  if (!Number.isFinite(value)) return tagged("float", value > 0 ? "inf" : "-inf");
  if (Object.is(value, -0)) return tagged("float", "-0.0");
  // Past 2^53 the digits that JSON shows are not those of an exact integer.
  return Number.isInteger(value) && !Number.isSafeInteger(value)
    ? tagged("float", String(value))
    : value;
}

function encodeObject(value, depth) {
  if (Array.isArray(value)) return Array.from(value, (item) => encode(item, depth));
  if (types.isDate(value)) {
    const moment = value.getTime();
    return Number.isNaN(moment)
      ? opaque(value)
      : tagged("datetime", new Date(moment).toISOString().replace("Z", "+00:00"));
  }
  if (types.isUint8Array(value) || types.isAnyArrayBuffer(value)) {
    return tagged("bytes", Buffer.from(value).toString("base64"));
  }
  if (types.isTypedArray(value)) return Array.from(value, (item) => encode(item, depth));
  if (types.isMap(value)) {
    return tagged("dict", Array.from(value, (pair) => pair.map((item) => encode(item, depth))));
  }
  if (types.isSet(value)) return tagged("set", Array.from(value, (item) => encode(item, depth)));
  if (isIterator(value)) return drained(value).map((item) => encode(item, depth));
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return opaque(value);
  const pairs = Object.entries(value).map(([key, item]) => [key, encode(item, depth)]);
  return pairs.some(([key]) => key.startsWith("$")) ? tagged("dict", pairs) : fromPairs(pairs);
}

/** Without a prototype: a key may be `__proto__`. */
const fromPairs = (pairs) => {
  const made = Object.create(null);
  for (const [key, item] of pairs) made[key] = item;
  return made;
};

const isIterator = (value) =>
  typeof value.next === "function" && typeof value[Symbol.iterator] === "function";

function drained(iterator) {
  const items = [];
  for (const item of iterator) add(items, item);
  return items;
}

function add(items, item) {
  if (items.length >= MAX_ITEMS) throw new BadData(`an iterator of more than ${MAX_ITEMS} items`);
  items.push(item);
}

/** What is of any other class: its name, and how it looks. It equals nothing. */
function opaque(value) {
  return { $: "object", type: nameOf(value), repr: shown(value) };
}

function nameOf(value) {
  try {
    return String(Object(value).constructor.name) || typeof value;
  } catch {
    return typeof value;
  }
}

function shown(value) {
  try {
    const text = inspect(value, { depth: 2, maxArrayLength: 20, maxStringLength: 200 });
    return text.length <= 500 ? text : `${text.slice(0, 500)}...`;
  } catch {
    return `<${nameOf(value)}: it cannot be shown>`;
  }
}

// -- values from JSON -----------------------------------------------------------------------------

/** What the test sent. What becomes of which kind says runners/README.md. */
function decode(data) {
  if (Array.isArray(data)) return data.map(decode);
  if (data === null || typeof data !== "object") return data;
  if (!Object.hasOwn(data, "$")) {
    return Object.fromEntries(Object.entries(data).map(([key, item]) => [key, decode(item)]));
  }
  const made = DECODERS[data.$];
  if (made === undefined) throw new BadData(`JavaScript has no value for a ${data.$} of Python`);
  return made(data.v);
}

const asText = (text) => text;
const asSet = (items) => new Set(items.map(decode));
const DECODERS = {
  int: (hex) => (hex.startsWith("-") ? -BigInt(hex.slice(1)) : BigInt(hex)),
  float: (text) => ({ inf: Infinity, "-inf": -Infinity, nan: NaN })[text] ?? Number(text),
  tuple: (items) => items.map(decode),
  set: asSet,
  frozenset: asSet,
  dict: (pairs) => {
    const made = pairs.map((pair) => pair.map(decode));
    const plain = made.every(([key]) => typeof key === "string");
    return plain ? Object.fromEntries(made) : new Map(made);
  },
  bytes: (text) => Buffer.from(text, "base64"),
  datetime: (text) => new Date(/([+-]\d\d:\d\d(:\d\d)?|Z)$/.test(text) ? text : `${text}Z`),
  timedelta: ([days, seconds, micro]) => (days * 86_400 + seconds) * 1000 + micro / 1000,
  uuid: (hex) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
  decimal: asText,
  date: asText,
  time: asText,
  handle: (number) => objectOf(number),
};

// -- calls ----------------------------------------------------------------------------------------

const objects = new Map();

function objectOf(number) {
  if (!objects.has(number)) throw new BadData("no such object");
  return objects.get(number);
}

async function perform(request) {
  if (request.op === "attribute") return attribute(objectOf(request.handle), request.name);
  const args = request.args.map(decode);
  const named = Object.entries(request.kwargs);
  if (named.length > 0) {
    args.push(Object.fromEntries(named.map(([key, item]) => [key, decode(item)])));
  }
  if (request.op === "method") {
    return encode(await settled(objectOf(request.handle)[request.name](...args)));
  }
  const target = await find(request.target);
  if (request.op !== "new") return encode(await settled(target(...args)));
  const made = await (isConstructor(target) ? Reflect.construct(target, args) : target(...args));
  const number = objects.size + 1;
  objects.set(number, made);
  return tagged("handle", number);
}

async function attribute(object, name) {
  if (object === null || object === undefined || !(name in Object(object))) {
    throw new TypeError(`this ${nameOf(object)} has no '${name}'`);
  }
  const value = await settled(object[name]);
  // 0 stands for any function: the judge then asks for the method by its name.
  return typeof value === "function" ? tagged("handle", 0) : encode(value);
}

/** `file:name` or `file:name.name`; the file with or without its ending. */
async function find(target) {
  const at = target.indexOf(":");
  const file = target.slice(0, at);
  const whole = ENDINGS.map((ending) => path.join(folder, file + ending)).find(existsSync);
  if (whole === undefined) throw new Error(`there is no file ${file}.js`);
  const module = await import(pathToFileURL(whole).href).catch((error) => {
    throw error instanceof SyntaxError ? located(error, whole) : error;
  });
  let found = module;
  for (const part of target.slice(at + 1).split(".")) {
    const holds = [found, found === module ? module.default : undefined].find(
      (one) => one !== null && one !== undefined && part in Object(one),
    );
    found = holds?.[part];
  }
  if (typeof found !== "function") {
    throw new TypeError(`${path.basename(whole)} exports no function '${target.slice(at + 1)}'`);
  }
  return found;
}

/** With its place in the stack, which Node.js gives for a module only when it prints the error. */
function located(error, file) {
  if (!String(error.stack).includes(folder)) {
    const words = ["--check", "--input-type=module", "-"];
    const options = { input: readFileSync(file), timeout: 2000, encoding: "utf8" };
    const [place, ...source] = spawnSync(process.execPath, words, options).stderr.split("\n", 3);
    if (place.startsWith("[stdin]:")) {
      error.stack = [place.replace("[stdin]", file), ...source, "", error.stack].join("\n");
    }
  }
  return error;
}

function isConstructor(made) {
  try {
    Reflect.construct(Object, [], made); // does not call it
    return true;
  } catch {
    return false;
  }
}

/** Awaits a promise, drains an asynchronous generator. */
async function settled(value) {
  const got = await value;
  const asynchronous = got !== null && typeof got === "object" && Symbol.asyncIterator in got;
  if (!asynchronous || typeof got.next !== "function") return got;
  const items = [];
  for await (const item of got) add(items, item);
  return items;
}

// -- what is thrown -------------------------------------------------------------------------------

function raised(error) {
  const bases = [];
  for (let one = Object(error); one !== null && bases.length < 50; one = Object.getPrototypeOf(one)) {
    const name = Object.hasOwn(one, "constructor") ? nameOf(one) : "";
    if (name) bases.push(name);
  }
  const given = types.isNativeError(error) && typeof error.name === "string" ? error.name : "";
  if (given && !bases.includes(given)) bases.unshift(given);
  const text = message(error);
  return {
    type: bases[0] ?? typeof error,
    bases,
    message: text.slice(0, 4000),
    args: [text.slice(0, 4000), ...more(error)],
    traceback: traceback(error).slice(-8000),
  };
}

function message(error) {
  try {
    return String(types.isNativeError(error) ? error.message : error);
  } catch {
    return "(its message cannot be shown)";
  }
}

/** Further properties of an error, such as `status`. */
function more(error) {
  try {
    const own = types.isNativeError(error) ? { ...error } : {};
    return Object.keys(own).length > 0 ? [encode(own)] : [];
  } catch {
    return [];
  }
}

/** The stack with the learner's own lines only, and paths as the learner knows them. */
function traceback(error) {
  try {
    const lines = String(types.isNativeError(error) ? error.stack : error).split("\n");
    const own = (line) => line.includes(`${folder}/`) && !line.includes("/node_modules/");
    return lines
      .filter((line) => !/^\s+at /.test(line) || own(line))
      .join("\n")
      .replaceAll(`file://${folder}/`, "")
      .replaceAll(`${folder}/`, "");
  } catch {
    return `${nameOf(error)}: (its stack cannot be shown)`;
  }
}

// -- frames ---------------------------------------------------------------------------------------

const judge = new Socket({ fd: 3 });
let received = [];
let size = 0;

function take(count) {
  if (size < count) return null;
  const whole = received.length === 1 ? received[0] : Buffer.concat(received);
  received = [whole.subarray(count)];
  size -= count;
  return whole.subarray(0, count);
}

async function answer(body) {
  const request = JSON.parse(body.toString());
  let reply;
  try {
    reply = { value: await perform(request) };
  } catch (error) {
    reply = { raised: raised(error) };
  }
  send({ ...reply, id: request.id });
}

function send(message) {
  const content = Buffer.from(JSON.stringify(message));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  judge.write(Buffer.concat([length, content]));
}

let wanted = null; // the length of the frame that is coming

judge.on("data", (piece) => {
  received.push(piece);
  size += piece.length;
  for (;;) {
    if (wanted === null) wanted = take(4)?.readUInt32BE() ?? null;
    const body = wanted === null ? null : take(wanted);
    if (body === null) return;
    wanted = null;
    void answer(body);
  }
});
// The agent is done with us; the learner's timers must not keep us alive.
judge.on("close", () => exit(0));
judge.on("error", () => exit(0));
send({ ready: true });
