'use strict';
// Pipeline from Node: frames in order, each operation with its own outcome.

const assert = require('node:assert');
const { after, before, test } = require('node:test');
const { CacheClient, bytes } = require('./cache_client');
const { ServerProcess } = require('./server_process');

let server;
let cache;

before(async () => {
  server = await ServerProcess.start('--max-memory=128MiB');
  cache = new CacheClient(server.grpcAddress);
});

after(async () => {
  cache.close();
  await server.stop();
});

const get = (key) => ({ operation: { oneofKind: 'get', get: { key } } });
const set = (key, value) => ({ operation: { oneofKind: 'set', set: { key, value } } });
const incr = (key) => ({ operation: { oneofKind: 'incr', incr: { key } } });

test('frames are answered in order, operation by operation', async () => {
  const key = bytes('n');
  const frames = Array.from({ length: 100 }, () => [incr(key), incr(key), incr(key)]);
  const replies = await cache.Pipeline(frames);
  const values = replies.flatMap(({ results }) => results.map((r) => Number(r.outcome.incr.value)));
  assert.deepStrictEqual(
    values,
    Array.from({ length: 300 }, (_, index) => index + 1),
  );
});

test('an operation that fails does not stop the others', async () => {
  const key = bytes('text');
  const [{ results }] = await cache.Pipeline([[set(key, bytes('no number')), incr(key), get(key)]]);
  const [written, failed, read] = results.map((result) => result.outcome);
  assert(written.set.stored);
  assert.strictEqual(failed.oneofKind, 'error');
  assert.strictEqual(failed.error.code, 9);
  assert.strictEqual(Buffer.from(read.get.value).toString(), 'no number');
  assert.strictEqual(read.get.version, written.set.version);
});
