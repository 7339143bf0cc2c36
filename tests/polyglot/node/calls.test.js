'use strict';
// Every RPC of CacheService and AdminService from Node: binary keys and values, misses, a deadline.

const assert = require('node:assert');
const { after, before, test } = require('node:test');
const grpc = require('@grpc/grpc-js');
const { SetCondition, OverflowPolicy } = require('./gen/ferrite/v1/cache');
const { CacheClient, bytes } = require('./cache_client');
const { ServerProcess } = require('./server_process');

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
const HOUR_MS = 3_600_000n;

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

function assertTtl(ttlMs, expected) {
  assert(ttlMs > expected - 60_000n && ttlMs <= expected, `ttl_ms ${ttlMs}, expected ${expected}`);
}

test('keys and values are any bytes', async () => {
  for (const raw of [
    EVERY_BYTE,
    Buffer.from([0]),
    bytes('a\0b'),
    Buffer.from([0xff, 0xfe]),
    bytes('ключ'),
  ]) {
    const { stored, version } = await cache.Set({ key: raw, value: raw });
    assert(stored);
    const read = await cache.Get({ key: raw });
    assert(read.found);
    assert.deepStrictEqual(Buffer.from(read.value), raw);
    assert.strictEqual(read.version, version);
    assert.strictEqual(read.ttlMs, undefined);
    assert.strictEqual((await cache.Delete({ key: raw })).version, version);
  }
});

test('a miss is not an error', async () => {
  const key = bytes('absent');
  const read = await cache.Get({ key });
  assert.deepStrictEqual(
    [read.found, read.value.length, read.version, read.ttlMs],
    [false, 0, 0n, undefined],
  );
  assert.strictEqual((await cache.Touch({ key })).found, false);
  assert.deepStrictEqual({ ...(await cache.Delete({ key })) }, { deleted: false, version: 0n });
  assert.deepStrictEqual((await cache.Exists({ keys: [key] })).exists, [false]);
});

test('a value of 1 MiB is returned intact', async () => {
  const value = Buffer.concat(Array(4096).fill(EVERY_BYTE));
  await cache.Set({ key: bytes('large'), value });
  assert(Buffer.from((await cache.Get({ key: bytes('large') })).value).equals(value));
});

test('Set under conditions', async () => {
  const key = bytes('conditional');
  const absent = { key, value: bytes('1'), condition: SetCondition.ABSENT };
  const first = await cache.Set(absent);
  assert(first.stored);
  assert.deepStrictEqual(
    { ...(await cache.Set(absent)) },
    { stored: false, version: first.version },
  );
  const present = { key, value: bytes('2'), condition: SetCondition.PRESENT, returnPrevious: true };
  const second = await cache.Set(present);
  assert(second.stored && second.version > first.version);
  assert.strictEqual(Buffer.from(second.previous.value).toString(), '1');
  assert.strictEqual(second.previous.version, first.version);
  assert.strictEqual(
    (await cache.Set({ key, value: bytes('3'), ifVersion: first.version })).stored,
    false,
  );
  assert.strictEqual(
    (await cache.Set({ key, value: bytes('3'), ifVersion: second.version })).stored,
    true,
  );
  const { version } = await cache.Get({ key });
  assert((await cache.Get({ key, ifVersionNot: version })).notModified);
});

test('times to live', async () => {
  const key = bytes('ttl');
  await cache.Set({ key, expiry: { oneofKind: 'ttlMs', ttlMs: HOUR_MS } });
  assertTtl((await cache.Get({ key })).ttlMs, HOUR_MS);
  await cache.Set({ key, expiry: { oneofKind: 'keepTtl', keepTtl: true } });
  assertTtl((await cache.Touch({ key })).ttlMs, HOUR_MS);
  const touched = await cache.Touch({ key, expiry: { oneofKind: 'ttlMs', ttlMs: 2n * HOUR_MS } });
  assertTtl(touched.ttlMs, 2n * HOUR_MS);
  const expireAtUnixMs = BigInt(Date.now()) + HOUR_MS;
  await cache.Touch({ key, expiry: { oneofKind: 'expireAtUnixMs', expireAtUnixMs } });
  assertTtl((await cache.Get({ key })).ttlMs, HOUR_MS);
  const persisted = await cache.Touch({ key, expiry: { oneofKind: 'persist', persist: true } });
  assert(persisted.found && persisted.ttlMs === undefined);
  await cache.Set({ key, expiry: { oneofKind: 'ttlMs', ttlMs: 1n } });
  while ((await cache.Get({ key })).found); // until it expires; the run's time limit ends a hang
});

test('Incr counts in decimal text', async () => {
  const key = bytes('counter');
  await cache.Set({ key, value: bytes('10') });
  assert.strictEqual((await cache.Incr({ key })).value, 11n);
  assert.strictEqual((await cache.Incr({ key, delta: -20n })).value, -9n);
  assert.strictEqual(Buffer.from((await cache.Get({ key })).value).toString(), '-9');
  const held = await cache.Incr({ key, delta: 100n, max: 5n, overflow: OverflowPolicy.SATURATE });
  assert.deepStrictEqual([held.value, held.saturated, held.created], [5n, true, false]);
  const greatest = 2n ** 63n - 1n;
  const created = await cache.Incr({ key: bytes('new'), initial: greatest - 1n });
  assert.deepStrictEqual([created.value, created.created], [greatest, true]);
});

test('a repeated request_id increments once', async () => {
  const request = { key: bytes('once'), delta: 7n, requestId: EVERY_BYTE.subarray(0, 64) };
  const answers = await Promise.all(Array.from({ length: 50 }, () => cache.Incr(request)));
  for (const answer of answers) assert.deepStrictEqual({ ...answer }, { ...answers[0] });
  assert.strictEqual((await cache.Incr({ key: bytes('once'), delta: 0n })).value, 7n);
});

test('batches answer in order', async () => {
  const keys = Array.from({ length: 1024 }, (_, number) =>
    Buffer.concat([bytes(`batch/${number}/`), EVERY_BYTE]),
  );
  const { results: written } = await cache.MSet({
    entries: keys.map((key) => ({ key, value: key })),
  });
  assert(
    written.every(({ outcome }) => outcome.oneofKind === 'response' && outcome.response.stored),
  );
  const { results: read } = await cache.MGet({
    keys: [bytes('absent'), ...keys.slice(2), keys[1]],
  });
  assert.deepStrictEqual(
    read.map(({ value }) => Buffer.from(value)),
    [Buffer.alloc(0), ...keys.slice(2), keys[1]],
  );
  const { exists } = await cache.Exists({ keys: [keys[5], bytes('absent'), keys[5]] });
  assert.deepStrictEqual(exists, [true, false, true]);
  const { deleted } = await cache.MDelete({ keys: [...keys.slice(0, 1023), keys[0]] });
  assert.deepStrictEqual(deleted, [...Array(1023).fill(true), false]);
});

test('Scan sees every key once and continues at its cursor', async () => {
  const prefix = Buffer.concat([bytes('scan'), Buffer.from([0, 0xff])]);
  const keys = Array.from({ length: 1000 }, (_, number) =>
    Buffer.concat([prefix, bytes(`${number}`)]),
  );
  await cache.MSet({ entries: keys.map((key) => ({ key, value: key })) });
  const expected = keys.map((key) => key.toString('latin1')).sort();
  const keysOf = (entries) => entries.map(({ key }) => Buffer.from(key).toString('latin1')).sort();

  const whole = (await cache.Scan({ prefix, withValues: true })).flatMap(({ entries }) => entries);
  assert.deepStrictEqual(keysOf(whole), expected);
  for (const { key, value } of whole) assert.deepStrictEqual(value, key);

  const pieces = [];
  let cursor = Buffer.alloc(0);
  do {
    const responses = await cache.Scan({ prefix, cursor, limit: 300 });
    pieces.push(...responses.flatMap(({ entries }) => entries));
    cursor = responses.at(-1).cursor;
  } while (cursor.length > 0);
  assert.deepStrictEqual(keysOf(pieces), expected);
});

test('a call ends at its deadline', async () => {
  await cache.Get({ key: bytes('connect') });
  server.freeze();
  try {
    await assert.rejects(cache.Get({ key: bytes('k') }, { timeoutMs: 200 }), {
      code: grpc.status.DEADLINE_EXCEEDED,
    });
  } finally {
    server.thaw();
  }
  assert.strictEqual((await cache.Get({ key: bytes('still served') })).found, false);
});

test('AdminService reports and flushes', async () => {
  const info = await cache.Info({});
  assert.strictEqual(info.pid, BigInt(server.pid));
  assert.match(info.version, /^\d+\.\d+\.\d+/);
  assert.strictEqual(info.settings['eviction'], 's3-fifo');
  const stats = await cache.Stats({});
  assert(stats.entries > 0n && stats.hits > 0n && stats.misses > 0n);
  assert.strictEqual(stats.memoryLimitBytes, 128n << 20n);
  assert.strictEqual((await cache.Flush({})).deleted, stats.entries);
  assert.strictEqual((await cache.Stats({})).entries, 0n);
});
