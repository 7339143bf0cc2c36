// How to reach the cache: types, keepalive, retries, deadlines.

import * as grpc from '@grpc/grpc-js';
import * as loader from '@grpc/proto-loader';
import type { ProtoGrpcType } from './generated/cache.js';
import type { CacheServiceClient } from './generated/ferrite/v1/CacheService.js';

// The folder of Ferrite's .proto files. `npm run types` made src/generated from it with the same options:
// longs: a number of JavaScript holds integers up to 2^53; defaults: a miss says found: false instead of nothing.
export const PROTO = process.env.FERRITE_PROTO ?? 'proto';
const definition = loader.loadSync('ferrite/v1/cache.proto', {
  includeDirs: [PROTO],
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
});

// What is tried again, when the server cannot be reached or says when to come again (grpc-retry-pushback-ms): only what may
// be executed twice. Reads may, a Set without a condition, and whatever has a requestId: so give one to every Incr and to
// every Set with a condition. Delete may not, as its second try answers that nothing was there, nor may Publish, whose
// subscribers would get the message twice.
const serviceConfig = {
  loadBalancingConfig: [],
  methodConfig: [
    {
      name: ['Get', 'MGet', 'Exists', 'Touch', 'Set', 'Incr'].map((method) => ({
        service: 'ferrite.v1.CacheService',
        method,
      })),
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: '0.05s',
        maxBackoff: '1s',
        backoffMultiplier: 2,
        retryableStatusCodes: ['UNAVAILABLE', 'RESOURCE_EXHAUSTED'],
      },
    },
  ],
};

const options: grpc.ClientOptions = {
  'grpc.service_config': JSON.stringify(serviceConfig),
  // The server closes connections that ping more often than every 10 s.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 1,
};

export function connect(address: string, others: grpc.ClientOptions = {}): CacheServiceClient {
  const types = grpc.loadPackageDefinition(definition) as unknown as ProtoGrpcType;
  return new types.ferrite.v1.CacheService(address, grpc.credentials.createInsecure(), { ...options, ...others });
}

// Every call has a deadline. The server does not execute what comes too late.
export const withDeadline = (): grpc.CallOptions => ({ deadline: Date.now() + 20_000 });

// The form of a method by which TypeScript tells its types, and the form that is called.
type Method<Request, Reply> = (request: Request, done: grpc.requestCallback<Reply>) => grpc.ClientUnaryCall;
type MethodWithOptions<Request, Reply> = (
  request: Request,
  options: grpc.CallOptions,
  done: grpc.requestCallback<Reply>,
) => grpc.ClientUnaryCall;

// A call as a promise: `await call(cache, cache.get, { key })`.
export function call<Request, Reply>(
  cache: CacheServiceClient,
  method: Method<Request, Reply>,
  request: Request,
): Promise<Reply> {
  const start = method as unknown as MethodWithOptions<Request, Reply>;
  return new Promise((resolve, reject) => {
    start.call(cache, request, withDeadline(), (error, reply) =>
      error ? reject(error) : resolve(reply as Reply),
    );
  });
}
