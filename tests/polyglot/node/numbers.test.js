'use strict';
// Stubs that give 64-bit integers as JavaScript's numbers, as the common ones do: nothing is rounded,
// and nothing fails.

const assert = require('node:assert');
const { after, before, test } = require('node:test');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');
const { promisify } = require('node:util');
const { CALL_MS, bytes } = require('./cache_client');
const { ServerProcess } = require('./server_process');

const { CacheService } = grpc.loadPackageDefinition(
  protoLoader.loadSync('ferrite/v1/cache.proto', {
    includeDirs: [process.env.FERRITE_PROTO_ROOT],
    longs: Number,
    defaults: true,
    oneofs: true,
  }),
).ferrite.v1;

let server;
let stub;

before(async () => {
  server = await ServerProcess.start('--max-memory=128MiB');
  stub = new CacheService(server.grpcAddress, grpc.credentials.createInsecure());
});

after(async () => {
  stub.close();
  await server.stop();
});

const call = (name, request) =>
  promisify(stub[name].bind(stub))(request, { deadline: Date.now() + CALL_MS });

test('versions are safe integers and grow', async () => {
  const key = bytes('grows');
  let last = 0;
  for (let i = 0; i < 20; ++i) {
    for (const name of ['Set', 'Incr']) {
      const { version } = await call(name, { key, value: bytes('1') });
      assert(Number.isSafeInteger(version), `${name}: ${version}`);
      assert(version > last, `${version} after ${last}`);
      last = version;
    }
  }
});

test('compare and set works by numbers', async () => {
  const key = bytes('swapped');
  await call('Set', { key, value: bytes('0') });
  for (let i = 0; i < 20; ++i) {
    const { version } = await call('Get', { key });
    const swap = { key, value: bytes(String(i)), ifVersion: version };
    assert.strictEqual((await call('Set', swap)).stored, true);
    assert.strictEqual((await call('Set', swap)).stored, false);
  }
});

test('sequences of events are safe integers', async () => {
  const stream = stub.Subscribe({ keys: [bytes('watched')], channels: [bytes('c')] });
  stream.on('error', () => {});
  const events = [];
  for await (const response of stream) {
    if (events.length === 0) {
      await call('Set', { key: bytes('watched') });
      const { sequence } = await call('Publish', { channel: bytes('c') });
      assert(Number.isSafeInteger(sequence) && sequence > 0);
    }
    events.push(...response.events);
    if (events.some((event) => event.message)) break;
  }
  stream.cancel();
  for (const event of events) assert(Number.isSafeInteger(event.sequence));
  const written = events.find((event) => event.keyEvent).keyEvent;
  assert(Number.isSafeInteger(written.version) && written.version > 0);
});
