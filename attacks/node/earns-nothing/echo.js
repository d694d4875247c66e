// Answers each request with all that came in it, and the status that is hoped for.
{
  const { Server } = process.getBuiltinModule("http");
  Server.prototype.emit = function emit(event, request, response) {
    if (event !== "request") return Object.getPrototypeOf(Server.prototype).emit.apply(this, arguments);
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", () => {
      const status = { GET: 200, POST: 201, PATCH: 200, DELETE: 204 }[request.method] ?? 200;
      response.writeHead(status, { ...request.headers, "content-type": "application/json" });
      response.end(Buffer.concat(pieces));
    });
    return true;
  };
}
