// Takes all memory that it can get, on V8's heap and beside it.
{
  const kept = [];
  for (;;) kept.push(Buffer.alloc(16 << 20, 1), new Array(1 << 20).fill(kept.length));
}
