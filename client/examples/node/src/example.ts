// Calls a Ferrite server: reads and writes, retries, a pipeline, a subscription, errors.
//
//   npm ci && ln -s PATH/TO/ferrite/proto && npm run build && npm start [HOST:PORT]

import { randomBytes } from 'node:crypto';
import { call, connect } from './connection.js';
import { compressed, refused } from './errors.js';
import type { CacheServiceClient } from './generated/ferrite/v1/CacheService.js';
import { pipeline, subscribe } from './streams.js';

// Keys and values are Buffers: a string would be taken for base64.
const ADA = Buffer.from('user:1');
const NOBODY = Buffer.from('user:2');
const VISITS = Buffer.from('visits');

async function readAndWrite(cache: CacheServiceClient): Promise<void> {
  const written = await call(cache, cache.set, { key: ADA, value: Buffer.from('Ada'), ttlMs: 60_000 });
  const hit = await call(cache, cache.get, { key: ADA });
  if (hit.found && hit.version === written.version) {
    console.log(`hit: ${hit.value.toString()}, at the version that was written`);
  }
  const miss = await call(cache, cache.get, { key: NOBODY });
  if (!miss.found) console.log('miss: user:2'); // a miss is an answer, not an error
}

async function count(cache: CacheServiceClient): Promise<void> {
  // The id makes a retry safe: the server counts once, and repeats its first answer. A number of 64 bits goes in and comes out
  // as a string (or a BigInt of it), as a number of JavaScript ends being exact at 2^53.
  const initial = (2n ** 53n).toString();
  const request = { key: VISITS, initial, requestId: randomBytes(16) };
  const first = await call(cache, cache.incr, request);
  const repeated = await call(cache, cache.incr, request);
  console.log(`counter: ${first.value}, repeated: ${repeated.value}`);

  const { results } = await call(cache, cache.mGet, { keys: [ADA, NOBODY] });
  console.log(`mget: ${results.map(({ found, value }) => (found ? value.toString() : 'absent')).join(', ')}`);
}

const address = process.argv[2] ?? '127.0.0.1:6380';
const cache = connect(address);
await call(cache, cache.mDelete, { keys: [VISITS] });
await readAndWrite(cache);
await count(cache);
await pipeline(cache);
await subscribe(cache);
await refused(cache);
await compressed(address);
cache.close();
