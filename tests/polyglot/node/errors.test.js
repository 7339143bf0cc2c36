'use strict';
// Each error status as Node sees it, with its ErrorInfo.

const assert = require('node:assert');
const { after, before, test } = require('node:test');
const { status } = require('@grpc/grpc-js');
const { SetCondition } = require('./gen/ferrite/v1/cache');
const { CacheClient, assertRefused, bytes } = require('./cache_client');
const { ServerProcess } = require('./server_process');

const GREATEST = 2n ** 63n - 1n;

let server;
let cache;

before(async () => {
  server = await ServerProcess.start('--max-memory=64MiB', '--eviction=noeviction');
  cache = new CacheClient(server.grpcAddress);
});

after(async () => {
  cache.close();
  await server.stop();
});

const key = bytes('k');
const entry = { key };

const INVALID = {
  KEY_EMPTY: () => cache.Get({}),
  KEY_TOO_LARGE: () => cache.Delete({ key: Buffer.alloc(4097) }),
  VALUE_TOO_LARGE: () => cache.Set({ key, value: Buffer.alloc((1 << 20) + 1) }),
  BATCH_EMPTY: () => cache.MGet({}),
  BATCH_TOO_LARGE: () => cache.MSet({ entries: Array(1025).fill(entry) }),
  TTL_OUT_OF_RANGE: () => cache.Set({ key, expiry: { oneofKind: 'ttlMs', ttlMs: -GREATEST - 1n } }),
  CONTRADICTION: () => cache.Set({ key, condition: SetCondition.ABSENT, ifVersion: 1n }),
  REQUEST_ID_TOO_LARGE: () => cache.Incr({ key, requestId: Buffer.alloc(65) }),
  CURSOR_INVALID: () => cache.Scan({ cursor: bytes('garbage') }),
};

for (const [reason, call] of Object.entries(INVALID)) {
  test(`INVALID_ARGUMENT ${reason}`, () => assertRefused(call(), status.INVALID_ARGUMENT, reason));
}

test('INVALID_ARGUMENT REQUEST_ID_REUSED', async () => {
  const requestId = bytes('id');
  await cache.Incr({ key: bytes('n'), requestId });
  const reuse = cache.Incr({ key: bytes('n'), delta: 2n, requestId });
  await assertRefused(reuse, status.INVALID_ARGUMENT, 'REQUEST_ID_REUSED');
});

test('FAILED_PRECONDITION NOT_A_COUNTER', async () => {
  await cache.Set({ key: bytes('text'), value: bytes('abc') });
  await assertRefused(
    cache.Incr({ key: bytes('text') }),
    status.FAILED_PRECONDITION,
    'NOT_A_COUNTER',
  );
});

test('OUT_OF_RANGE COUNTER_OUT_OF_RANGE', async () => {
  const call = cache.Incr({ key: bytes('edge'), initial: GREATEST });
  await assertRefused(call, status.OUT_OF_RANGE, 'COUNTER_OUT_OF_RANGE');
  assert.strictEqual((await cache.Get({ key: bytes('edge') })).found, false);
});

test('RESOURCE_EXHAUSTED REPLY_TOO_LARGE', async () => {
  await cache.Set({ key, value: Buffer.alloc(1 << 20) });
  const call = cache.MGet({ keys: Array(4).fill(key) });
  await assertRefused(call, status.RESOURCE_EXHAUSTED, 'REPLY_TOO_LARGE');
});

test('RESOURCE_EXHAUSTED MEMORY_FULL', async () => {
  const value = Buffer.alloc(1 << 20);
  let number = 0;
  const fill = async () => {
    for (; number < 1000; ++number) await cache.Set({ key: bytes(`fill/${number}`), value });
  };
  await assertRefused(fill(), status.RESOURCE_EXHAUSTED, 'MEMORY_FULL');
  assert(number > 0);
  assert.strictEqual((await cache.Get({ key: bytes(`fill/${number - 1}`) })).value.length, 1 << 20);
  assert.strictEqual((await cache.Get({ key: bytes(`fill/${number}`) })).found, false);
});

test('UNAVAILABLE when the server is not there', async () => {
  const gone = await ServerProcess.start();
  await gone.stop();
  const client = new CacheClient(gone.grpcAddress);
  await assert.rejects(client.Get({ key }), { code: status.UNAVAILABLE });
  client.close();
});
