const { Problem } = require("./middleware.js");

const day = (text) => {
  const [, y, m, d] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) || [];
  const date = new Date(0);
  date.setUTCFullYear(y, m - 1, d);
  return Number(y) > 0 && date.getUTCMonth() === m - 1 && date.getUTCDate() === Number(d);
};

const rules = {
  title: (value) =>
    typeof value === "string" && value.trim().length > 0 && value.length < 201 && !/\0/.test(value),
  due: (value) => value === null || (typeof value === "string" && day(value)),
  done: (value) => value === true || value === false,
};

module.exports = function check(body, { allowed, required = [] }) {
  if (Object.prototype.toString.call(body) !== "[object Object]") {
    throw new Problem(400, { error: "an object, please" });
  }
  const names = Object.keys(body);
  const missing = required.filter((name) => !names.includes(name)).map((name) => [name, "missing"]);
  const wrong = names
    .filter((name) => !allowed.includes(name) || !rules[name](body[name]))
    .map((name) => [name, allowed.includes(name) ? "wrong" : "unknown"]);
  const fields = Object.fromEntries([...missing, ...wrong]);
  if (missing.length + wrong.length) throw new Problem(400, { error: "please correct", fields });
  return body;
};
