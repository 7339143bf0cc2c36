'use strict';
// Publish and Subscribe from Node: messages, key events, and streams that resume after a break.

const assert = require('node:assert');
const { once } = require('node:events');
const { after, before, test } = require('node:test');
const grpc = require('@grpc/grpc-js');
const { bytes } = require('./cache_client');
const { ServerProcess } = require('./server_process');
const { LoadedClient, Subscriber } = require('./subscriber');

let server;
let cache;

before(async () => {
  server = await ServerProcess.start('--max-memory=128MiB');
  cache = new LoadedClient(server.grpcAddress);
});

after(async () => {
  cache.close();
  await server.stop();
});

const numbers = (begin, end) => Array.from({ length: end - begin }, (_, index) => begin + index);
const numbersOf = (events) => events.map(({ message }) => Number(message.payload));

async function publishNumbers(channel, begin, end) {
  for (const number of numbers(begin, end)) {
    await cache.Publish({ channel, payload: bytes(`${number}`) });
  }
}

test('messages arrive in order, each with the sequence of its reply', async () => {
  const subscriber = await Subscriber.open(cache, {
    channels: [bytes('news')],
    channelGlobs: [bytes('ne?s'), bytes('sport/*')],
  });
  const replies = [];
  for (const channel of ['news', 'sport/ski', 'weather', 'news']) {
    replies.push(await cache.Publish({ channel: bytes(channel), payload: bytes(`in ${channel}`) }));
  }
  assert.deepStrictEqual(
    replies.map(({ receivers }) => receivers),
    ['1', '1', '0', '1'],
  );
  const events = await subscriber.take(3);
  assert.deepStrictEqual(
    events.map(({ message }) => message.payload.toString()),
    ['in news', 'in sport/ski', 'in news'],
  );
  assert.deepStrictEqual(
    events.map(({ sequence }) => sequence),
    replies.map(({ sequence }) => sequence).filter((sequence) => sequence !== '0'),
  );
  subscriber.cancel();
});

test('key events report what happened, with version and value', async () => {
  const key = bytes('user/1');
  const subscriber = await Subscriber.open(cache, {
    keyPrefixes: [bytes('user/')],
    withValues: true,
  });
  const written = await cache.Set({ key, value: bytes('41') });
  const counted = await cache.Incr({ key });
  await cache.Set({ key: bytes('other'), value: bytes('not followed') });
  await cache.Delete({ key });
  const brief = await cache.Set({ key, value: bytes(''), ttlMs: 1 });
  const events = (await subscriber.take(5)).map(({ keyEvent }) => keyEvent);
  assert.deepStrictEqual(
    events.map(({ kind, version, value }) => [kind, version, value?.toString()]),
    [
      ['KEY_EVENT_KIND_SET', written.version, '41'],
      ['KEY_EVENT_KIND_INCR', counted.version, '42'],
      ['KEY_EVENT_KIND_DELETE', counted.version, undefined],
      ['KEY_EVENT_KIND_SET', brief.version, ''],
      ['KEY_EVENT_KIND_EXPIRE', brief.version, undefined],
    ],
  );
  assert(events.every((event) => event.key.equals(key)));
  subscriber.cancel();
});

test('a cancelled stream resumes where it stopped', async () => {
  const channels = [bytes('resumed')];
  const first = await Subscriber.open(cache, { channels });
  await publishNumbers(channels[0], 0, 10);
  assert.deepStrictEqual(numbersOf(await first.take(4)), numbers(0, 4));
  first.cancel();
  await publishNumbers(channels[0], 10, 20);
  const second = await Subscriber.open(cache, { channels, resumeToken: first.token });
  assert.strictEqual(second.resumed, true);
  await publishNumbers(channels[0], 20, 30);
  assert.deepStrictEqual(numbersOf(await second.take(26)), numbers(4, 30));
  second.cancel();
});

test('messages arrive exactly once while connections break', async () => {
  const channels = [bytes('broken')];
  const count = 2000;
  const seen = [];
  let token = Buffer.alloc(0);
  let publishing;
  for (let turn = 0; seen.length < count; turn++) {
    const connection = new LoadedClient(server.grpcAddress);
    const subscriber = await Subscriber.open(connection, { channels, resumeToken: token });
    assert.strictEqual(subscriber.resumed, turn > 0);
    publishing ??= publishNumbers(channels[0], 0, count);
    const events = await subscriber.take(Math.min((turn * 37) % 100, count - seen.length));
    seen.push(...numbersOf(events));
    token = subscriber.token;
    subscriber.cancel();
    connection.close();
  }
  await publishing;
  assert.deepStrictEqual(seen, numbers(0, count));
});

test('heartbeats arrive while nothing happens', async () => {
  const subscriber = await Subscriber.open(cache, { channels: [bytes('quiet')], heartbeatMs: 100 });
  for (let beat = 0; beat < 3; beat++) {
    assert.strictEqual((await subscriber.next()).event, 'heartbeat');
  }
  subscriber.cancel();
});

test('a subscription to nothing is refused', async () => {
  const call = cache.stub.Subscribe({});
  call.resume();
  const [error] = await once(call, 'error');
  assert.strictEqual(error.code, grpc.status.INVALID_ARGUMENT);
  assert.match(error.details, /1 to 1024/);
});

test('a shutdown ends the stream, and another server announces a gap', async () => {
  const channels = [bytes('c')];
  const first = await ServerProcess.start();
  const before = new LoadedClient(first.grpcAddress);
  const subscriber = await Subscriber.open(before, { channels });
  await before.Publish({ channel: channels[0], payload: bytes('1') });
  await subscriber.take(1);
  const ended = assert.rejects(subscriber.next(), { code: grpc.status.UNAVAILABLE });
  await first.stop();
  await ended;
  before.close();

  const resumed = await Subscriber.open(cache, { channels, resumeToken: subscriber.token });
  assert.strictEqual(resumed.resumed, false);
  const [{ discontinuity }] = await resumed.take(1);
  assert.strictEqual(discontinuity.reason, 'DISCONTINUITY_REASON_OTHER_SERVER');
  await cache.Publish({ channel: channels[0], payload: bytes('2') });
  assert.deepStrictEqual(numbersOf(await resumed.take(1)), [2]);
  resumed.cancel();
});
