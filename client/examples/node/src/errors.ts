// Why the server refused a call, and what it refuses on principle.

import * as path from 'node:path';
import * as grpc from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { PROTO, call, connect, withDeadline } from './connection.js';
import type { CacheServiceClient } from './generated/ferrite/v1/CacheService.js';

const root = new protobuf.Root();
root.resolvePath = (_, name) => (protobuf.common.get(name) ? name : path.join(PROTO, name));
root.loadSync(['google/rpc/status.proto', 'google/rpc/error_details.proto']);
const Status = root.lookupType('google.rpc.Status');
const ErrorInfo = root.lookupType('google.rpc.ErrorInfo');

// The reason is one of ErrorReason; the metadata are facts, such as the limit.
interface Info {
  reason: string;
  domain: string;
  metadata: Record<string, string>;
}

export function errorInfo(error: grpc.ServiceError): Info | undefined {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(bytes)) return undefined;
  const status = Status.decode(bytes) as unknown as {
    details: { type_url: string; value: Uint8Array }[];
  };
  const detail = status.details.find(({ type_url }) => type_url.endsWith('/google.rpc.ErrorInfo'));
  return detail && (ErrorInfo.decode(detail.value) as unknown as Info);
}

export async function refused(cache: CacheServiceClient): Promise<void> {
  try {
    await call(cache, cache.get, { key: Buffer.alloc(5000) });
  } catch (error) {
    const info = errorInfo(error as grpc.ServiceError);
    console.log(`refused: ${info?.reason}, limit ${info?.metadata.limit}`);
  }
}

// The server takes no compressed requests. Whoever wants to save bytes compresses values.
export async function compressed(address: string): Promise<void> {
  const cache = connect(address, { 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip });
  await new Promise<void>((resolve) => {
    cache.get({ key: Buffer.from('user:1') }, withDeadline(), (error) => {
      if (error) console.log(`gzip: ${grpc.status[error.code]}`);
      resolve();
    });
  });
  cache.close();
}
