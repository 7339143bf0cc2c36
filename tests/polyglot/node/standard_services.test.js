'use strict';
// The standard services from Node: health and reflection.

const assert = require('node:assert');
const { once } = require('node:events');
const { after, before, test } = require('node:test');
const { promisify } = require('node:util');
const grpc = require('@grpc/grpc-js');
const { HealthClient } = require('./gen/health.grpc-client');
const { HealthCheckResponse_ServingStatus: ServingStatus } = require('./gen/health');
const { ServerReflectionClient } = require('./gen/reflection.grpc-client');
const { ServerProcess } = require('./server_process');

const SERVICES = ['', 'ferrite.v1.CacheService', 'ferrite.v1.AdminService'];

let server;
let health;
let reflection;

before(async () => {
  server = await ServerProcess.start();
  health = new HealthClient(server.grpcAddress, grpc.credentials.createInsecure());
  reflection = new ServerReflectionClient(server.grpcAddress, grpc.credentials.createInsecure());
});

after(async () => {
  health.close();
  reflection.close();
  await server.stop();
});

test('every service is healthy, an unknown one is not found', async () => {
  const check = promisify(health.check.bind(health));
  for (const service of SERVICES) {
    assert.strictEqual((await check({ service })).status, ServingStatus.SERVING);
  }
  await assert.rejects(check({ service: 'no.such.Service' }), { code: grpc.status.NOT_FOUND });
});

test('reflection lists the services', async () => {
  const stream = reflection.serverReflectionInfo();
  stream.write({ messageRequest: { oneofKind: 'listServices', listServices: '' } });
  stream.end();
  const [{ messageResponse }] = await once(stream, 'data');
  const names = messageResponse.listServicesResponse.service.map(({ name }) => name);
  for (const service of SERVICES.slice(1)) assert(names.includes(service), `${names}`);
});
