"""The coupons API of README.md: the right one, and a wrong one for each fault."""

import hashlib
import re
import threading

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE = re.compile(r"[A-Z0-9]{4,12}")
MOST_PERCENT = 90
MOST_USES = 1000
PAGE, MOST_PAGE = 20, 100


class Refused(Exception):
    """An answer that says no: its status, the reason, and its header fields."""

    def __init__(self, status, reason, headers=None):
        super().__init__(reason)
        self.answer = status, {"error": reason}, headers or {}


def new_code(rng):
    return "".join(rng.choices(ALPHABET, k=8))


class Coupons:
    """The API as README.md describes it, with some coupons in it already.

    A fault changes one method. Whenever that makes an answer wrong, it counts in `wrongs`: at once,
    or when a coupon is shown whose code is in `spoilt`.
    """

    def __init__(self, rng, key):
        self.key = key
        self.salt = f"{rng.random()}"
        self.rows = {}
        self.wrongs = 0
        self.spoilt = set()
        self.lock = threading.Lock()
        for number in range(rng.randint(4, 7)):
            code, uses = new_code(rng), rng.randint(3, 40)
            percent, used = rng.randint(2, 80), rng.randint(0, 2)
            self.rows[code] = {
                "code": code,
                "percent": percent,
                "uses": uses,
                "used": used,
                "active": number % 2 == 0,
            }

    def __call__(self, request):
        with self.lock:
            try:
                status, body, headers = self.answer(request)
            except Refused as refused:
                status, body, headers = refused.answer
        return status, body, self.fields(status, headers)

    def wrong(self):
        self.wrongs += 1

    # What the API does

    def answer(self, request):
        path = request.path.strip("/").split("/")
        if path[0] != "coupons" or len(path) > 3 or path[2:] not in ([], ["redeem"]):
            raise Refused(404, "there is nothing at this address")
        found = {
            1: {"GET": self.list, "POST": self.create},
            2: {"GET": self.read, "PATCH": self.change, "DELETE": self.delete},
            3: {"POST": self.redeem},
        }[len(path)]
        operation = found.get(request.method)
        if operation is None:
            raise Refused(405, "this address does not have the method", {"Allow": ", ".join(found)})
        self.check_key(request, operation.__name__)
        return operation(request, *path[1:2])

    def check_key(self, request, operation):
        if request.headers.get("X-Api-Key") != self.key:
            raise Refused(401, "the key is missing or wrong", {"WWW-Authenticate": "ApiKey"})

    def list(self, request):
        query = dict(request.query)
        chosen = self.filtered(sorted(self.rows.values(), key=lambda row: row["code"]), query)
        limit = self.number(query, "limit", PAGE, 1, MOST_PAGE)
        offset = self.number(query, "offset", 0, 0, 10**6)
        page = chosen[offset : offset + limit]
        return 200, {"items": page, "total": self.total(chosen, page)}, {}

    def filtered(self, rows, query):
        wanted = query.get("active")
        if wanted not in (None, "true", "false"):
            raise Refused(422, "active is true or false")
        chosen = [row for row in rows if wanted is None or row["active"] == (wanted == "true")]
        self.wrongs += any(row["code"] in self.spoilt for row in chosen)
        return chosen

    def total(self, chosen, page):
        return len(chosen)

    def number(self, query, name, default, least, most):
        text = query.get(name, str(default))
        if not text.isascii() or not text.isdigit() or not least <= int(text[:9]) <= most:
            raise Refused(422, f"{name} is a number from {least} to {most}")
        return int(text)

    def create(self, request):
        coupon = self.body(request)
        code = coupon.get("code")
        if not isinstance(code, str) or not CODE.fullmatch(code):
            raise Refused(422, "code has 4 to 12 capital letters and digits")
        self.check_percent(coupon.get("percent"))
        if not is_int(coupon.get("uses")) or not 1 <= coupon["uses"] <= MOST_USES:
            raise Refused(422, f"uses is a number from 1 to {MOST_USES}")
        if set(coupon) - {"code", "percent", "uses"}:
            raise Refused(422, "a new coupon has code, percent and uses, and nothing else")
        self.check_free(code)
        row = {**coupon, "used": 0, "active": True}
        self.store(row)
        tag = self.tag(self.rows[code])
        return self.created(), row, {"Location": self.location(code), "ETag": tag}

    def check_percent(self, percent):
        if not is_int(percent) or not 1 <= percent <= MOST_PERCENT:
            raise Refused(422, f"percent is a number from 1 to {MOST_PERCENT}")

    def check_free(self, code):
        if code in self.rows:
            raise Refused(409, "there is a coupon with this code already")

    def store(self, row):
        self.rows[row["code"]] = dict(row)

    def created(self):
        return 201

    def location(self, code):
        return f"/coupons/{code}"

    def read(self, request, code):
        row = self.row(code)
        return 200, row, {"ETag": self.tag(row)}

    def row(self, code):
        if code not in self.rows:
            raise Refused(404, "there is no such coupon")
        self.wrongs += code in self.spoilt
        return self.rows[code]

    def tag(self, row):
        state = f"{self.salt} {sorted(row.items())}"
        return f'"{hashlib.sha256(state.encode()).hexdigest()[:12]}"'

    def change(self, request, code):
        row, new = self.row(code), self.body(request)
        if not new or set(new) - {"percent", "active"}:
            raise Refused(422, "percent, active or both can be changed")
        if "percent" in new:
            self.check_percent(new["percent"])
        if not isinstance(new.get("active", True), bool):
            raise Refused(422, "active is true or false")
        self.check_match(request, row)
        self.merge(row, new)
        return 200, row, {"ETag": self.tag(row)}

    def check_match(self, request, row):
        wanted = request.headers.get("If-Match")
        if wanted is not None and wanted.strip() not in ("*", self.tag(row)):
            raise Refused(412, "the coupon has changed meanwhile")

    def merge(self, row, new):
        row.update(new)

    def redeem(self, request, code):
        row = self.row(code)
        self.check_redeemable(row)
        row["used"] += 1
        return 200, row, {"ETag": self.tag(row)}

    def check_redeemable(self, row):
        if not row["active"]:
            raise Refused(409, "the coupon is not active")
        if row["used"] >= row["uses"]:
            raise Refused(409, "the coupon is used up")

    def delete(self, request, code):
        self.row(code)
        self.remove(code)
        return 204, None, {}

    def remove(self, code):
        del self.rows[code]

    def body(self, request):
        value = request.json()
        if request.headers.get_content_type() != "application/json" or not isinstance(value, dict):
            raise Refused(400, "the body is not an object in JSON")
        return value

    def fields(self, status, headers):
        return headers


def is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


# Faults. Each is a small mistake that somebody could make.


class CreatedWithStatus200(Coupons):
    def created(self):
        self.wrong()
        return 200


class LocationLeadsNowhere(Coupons):
    def location(self, code):
        self.wrong()
        return f"/coupon/{code}"


class NotSentAsJson(Coupons):
    def fields(self, status, headers):
        if status != 200:
            return headers
        self.wrong()
        return {**headers, "Content-Type": "text/plain; charset=utf-8"}


class StoredDifferently(Coupons):
    def store(self, row):
        super().store({**row, "percent": row["percent"] % MOST_PERCENT + 1})
        self.spoilt.add(row["code"])


class ChangeResets(Coupons):
    def merge(self, row, new):
        if "active" not in new and not row["active"]:
            self.wrong()
            row["active"] = True
        if "percent" not in new and row["percent"] != 10:
            self.wrong()
            row["percent"] = 10
        super().merge(row, new)


class DeletedStays(Coupons):
    def remove(self, code):
        self.spoilt.add(code)


class TotalOfThePage(Coupons):
    def total(self, chosen, page):
        if len(page) != len(chosen):
            self.wrong()
        return len(page)


class OneMorePercent(Coupons):
    def check_percent(self, percent):
        if percent == MOST_PERCENT + 1:
            self.wrong()
            return
        super().check_percent(percent)


class OneMoreUse(Coupons):
    def check_redeemable(self, row):
        if row["active"] and row["used"] == row["uses"]:
            self.wrong()
            return
        super().check_redeemable(row)


class OldTagIsTaken(Coupons):
    def check_match(self, request, row):
        try:
            super().check_match(request, row)
        except Refused:
            self.wrong()


class NoKeyNeeded(Coupons):
    """For one of the operations that change something."""

    def __init__(self, rng, key):
        super().__init__(rng, key)
        self.open = rng.choice(["create", "change", "redeem", "delete"])

    def check_key(self, request, operation):
        try:
            super().check_key(request, operation)
        except Refused:
            if operation != self.open:
                raise
            self.wrong()
