'use strict';
// CacheService with stubs that proto-loader makes at start-up, without generated code, and a
// subscription that is read event by event.

const assert = require('node:assert');
const { promisify } = require('node:util');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');
const { CALL_MS } = require('./cache_client');

// FERRITE_PROTO_ROOT: the folder that contains ferrite/v1.
const { CacheService } = grpc.loadPackageDefinition(
  protoLoader.loadSync('ferrite/v1/cache.proto', {
    includeDirs: [process.env.FERRITE_PROTO_ROOT],
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  }),
).ferrite.v1;

// A connection of its own. Unary calls are functions that return promises:
//   const { version } = await cache.Set({ key, value });
class LoadedClient {
  constructor(address) {
    this.stub = new CacheService(address, grpc.credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    });
    for (const name of ['Publish', 'Get', 'Set', 'Delete', 'Incr']) {
      const call = promisify(this.stub[name].bind(this.stub));
      this[name] = (request) => call(request, { deadline: Date.now() + CALL_MS });
    }
  }

  close() {
    this.stub.close();
  }
}

class Subscriber {
  // Resolves when the subscription is acknowledged. `request` holds fields of a SubscribeRequest.
  static async open(client, request) {
    const subscriber = new Subscriber();
    subscriber.call = client.stub.Subscribe(request, { deadline: Date.now() + CALL_MS });
    // A cancelled stream ends with an error, even if nobody waits for it.
    subscriber.call.on('error', () => {});
    subscriber.responses = subscriber.call[Symbol.asyncIterator]();
    subscriber.events = [];
    const first = await subscriber.next();
    assert.strictEqual(first.event, 'acknowledgement');
    subscriber.resumed = first.acknowledgement.resumed;
    return subscriber;
  }

  // The next event; sets `token` to its resume token.
  async next() {
    while (this.events.length === 0) {
      const { value, done } = await this.responses.next();
      assert(!done, 'the stream ended');
      this.events = value.events;
    }
    const event = this.events.shift();
    this.token = event.resumeToken;
    return event;
  }

  // The next `count` events without heartbeats.
  async take(count) {
    const taken = [];
    while (taken.length < count) {
      const event = await this.next();
      if (event.event !== 'heartbeat') taken.push(event);
    }
    return taken;
  }

  cancel() {
    this.call.cancel();
  }
}

module.exports = { LoadedClient, Subscriber };
