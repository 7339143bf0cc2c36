'use strict';
// Where the time of a call went: the trailer on request, and the slow log.

const assert = require('node:assert');
const { after, before, test } = require('node:test');
const grpc = require('@grpc/grpc-js');
const { CALL_MS, CacheClient, bytes } = require('./cache_client');
const { GetRequest } = require('./gen/ferrite/v1/cache');
const { ServerProcess } = require('./server_process');

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

let server, cache;
before(async () => {
  server = await ServerProcess.start('--slowlog-threshold=0');
  cache = new CacheClient(server.grpcAddress);
});
after(async () => {
  cache.close();
  await server.stop();
});

// The trailing metadata of a Get with `metadata`.
function trailersOfGet(metadata) {
  return new Promise((resolve, reject) => {
    const call = cache.stubs[0].get(
      GetRequest.create({ key: bytes('k') }),
      grpc.Metadata.fromHttp2Headers(metadata),
      { deadline: Date.now() + CALL_MS },
      (error) => error && reject(error),
    );
    call.on('status', (status) => resolve(status.metadata));
  });
}

test('a call that asks gets its times', async () => {
  const trailers = await trailersOfGet({ 'ferrite-server-timing': '1' });
  const [timing] = trailers.get('server-timing');
  assert.match(timing, /^queue;dur=\d+\.\d{3}, execute;dur=\d+\.\d{3}$/);
});

test('a call that does not ask gets none', async () => {
  assert.deepStrictEqual((await trailersOfGet({})).get('server-timing'), []);
});

test('the slow log names the trace of a call', async () => {
  await trailersOfGet({ traceparent: `00-${TRACE}-${SPAN}-01` });
  const { calls } = await cache.SlowLog({ limit: 1 });
  assert.strictEqual(calls[0].method, 'Get');
  assert.strictEqual(calls[0].traceId, TRACE);
  assert.strictEqual(calls[0].spanId, SPAN);
  assert.deepStrictEqual(Buffer.from(calls[0].key), bytes('k'));
});
