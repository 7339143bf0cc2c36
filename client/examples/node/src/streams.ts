// A pipeline of operations, and a subscription that resumes.

import { once } from 'node:events';
import { call, withDeadline } from './connection.js';
import type { CacheServiceClient } from './generated/ferrite/v1/CacheService.js';
import type { PipelineResponse__Output } from './generated/ferrite/v1/PipelineResponse.js';
import type { SubscribeResponse__Output } from './generated/ferrite/v1/SubscribeResponse.js';

// One frame of operations and its reply. Each operation has its own outcome.
export async function pipeline(cache: CacheServiceClient): Promise<void> {
  const key = Buffer.from('user:1');
  const stream = cache.pipeline(withDeadline());
  stream.write({
    operations: [{ set: { key, value: Buffer.from('Grace') } }, { get: { key } }, { get: {} }], // the last has no key
  });
  const [reply] = (await once(stream, 'data')) as [PipelineResponse__Output];
  for (const { outcome, get, error } of reply.results) {
    if (outcome === 'set') console.log('pipeline: stored');
    if (outcome === 'get') console.log(`pipeline: ${get?.value.toString()}`);
    if (outcome === 'error') console.log(`pipeline: ${error?.reason}`);
  }
  stream.end();
}

function publish(cache: CacheServiceClient, text: string) {
  return call(cache, cache.publish, { channel: Buffer.from('news'), payload: Buffer.from(text) });
}

// Publishes `text` once the subscription is acknowledged, if any; the token of the first message that comes.
async function nextMessage(cache: CacheServiceClient, resumeToken: Buffer, text?: string): Promise<Buffer> {
  // Without a deadline: a subscription lasts until it is cancelled.
  const stream = cache.subscribe({ channels: [Buffer.from('news')], resumeToken });
  stream.on('error', () => {}); // cancelled, below
  try {
    for await (const response of stream as AsyncIterable<SubscribeResponse__Output>) {
      for (const { event, acknowledgement, message, resumeToken } of response.events) {
        if (event === 'acknowledgement') {
          // From here on nothing is missed.
          if (acknowledgement?.resumed) console.log('resumed');
          if (text !== undefined) await publish(cache, text);
        } else if (event === 'message') {
          console.log(`message: ${message?.payload.toString()}`);
          return resumeToken;
        } else if (event === 'discontinuity') {
          console.log('something may be missing: read it anew');
        }
      }
    }
  } finally {
    stream.cancel();
  }
  throw new Error('the server ended the subscription'); // subscribe again, with the token of the last event
}

// A subscription that breaks loses nothing: the next one goes on after the last event that arrived.
export async function subscribe(cache: CacheServiceClient): Promise<void> {
  const token = await nextMessage(cache, Buffer.alloc(0), 'first');
  await publish(cache, 'second');
  await nextMessage(cache, token);
}
