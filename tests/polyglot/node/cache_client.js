'use strict';
// The generated stubs with promises, and errors parsed into their parts.

const assert = require('node:assert');
const { promisify } = require('node:util');
const grpc = require('@grpc/grpc-js');
const { AdminService } = require('./gen/ferrite/v1/admin');
const { AdminServiceClient } = require('./gen/ferrite/v1/admin.grpc-client');
const { CacheService, ErrorReason } = require('./gen/ferrite/v1/cache');
const { CacheServiceClient } = require('./gen/ferrite/v1/cache.grpc-client');
const { ErrorInfo } = require('./gen/google/rpc/error_details');
const { Status } = require('./gen/google/rpc/status');

// Ends a call that hangs. It does not measure speed.
const CALL_MS = 60_000;

const bytes = (text) => Buffer.from(text, 'utf8');

// Turns a generated client into an object with one function per unary RPC, named as in the proto:
//   const answer = await cache.Get({key}, {timeoutMs: 100});
function unaryCalls(client, service) {
  const calls = {};
  for (const method of service.methods) {
    if (method.serverStreaming || method.clientStreaming) continue;
    const call = promisify(client[method.localName].bind(client));
    calls[method.name] = (request, { timeoutMs = CALL_MS } = {}) =>
      call(method.I.create(request), new grpc.Metadata(), { deadline: Date.now() + timeoutMs });
  }
  return calls;
}

class CacheClient {
  constructor(address) {
    this.stubs = [
      new CacheServiceClient(address, grpc.credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
      }),
      new AdminServiceClient(address, grpc.credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
      }),
    ];
    Object.assign(
      this,
      unaryCalls(this.stubs[0], CacheService),
      unaryCalls(this.stubs[1], AdminService),
    );
  }

  // All messages of a Scan.
  async Scan(request, { timeoutMs = CALL_MS } = {}) {
    const { I } = CacheService.methods.find((method) => method.name === 'Scan');
    const stream = this.stubs[0].scan(I.create(request), new grpc.Metadata(), {
      deadline: Date.now() + timeoutMs,
    });
    const responses = [];
    for await (const response of stream) responses.push(response);
    return responses;
  }

  // The replies to frames of operations, sent one after the other.
  async Pipeline(frames, { timeoutMs = CALL_MS } = {}) {
    const { I } = CacheService.methods.find((method) => method.name === 'Pipeline');
    const stream = this.stubs[0].pipeline(new grpc.Metadata(), {
      deadline: Date.now() + timeoutMs,
    });
    for (const operations of frames) stream.write(I.create({ operations }));
    stream.end();
    const replies = [];
    for await (const reply of stream) replies.push(reply);
    return replies;
  }

  close() {
    for (const stub of this.stubs) stub.close();
  }
}

// The call must fail with `code` and with an ErrorInfo of `reason`.
async function assertRefused(call, code, reason) {
  const error = await call.then(
    (answer) => assert.fail(`should have failed, but answered ${answer}`),
    (failure) => failure,
  );
  assert.strictEqual(error.code, code, error.message);
  const [raw, ...others] = error.metadata.get('grpc-status-details-bin');
  assert(raw && others.length === 0, `one grpc-status-details-bin expected: ${error}`);
  const status = Status.fromBinary(raw);
  assert.strictEqual(status.code, code);
  assert.strictEqual(status.message, error.details);
  assert.strictEqual(status.details.length, 1);
  assert.strictEqual(status.details[0].typeUrl, 'type.googleapis.com/google.rpc.ErrorInfo');
  const info = ErrorInfo.fromBinary(status.details[0].value);
  assert.strictEqual(info.domain, 'ferrite');
  assert.strictEqual(info.reason, reason);
  assert(ErrorReason[info.reason] > 0, `ErrorReason has no value called ${info.reason}`);
}

module.exports = { CALL_MS, CacheClient, assertRefused, bytes };
