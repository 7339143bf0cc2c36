'use strict';
// Starts the real ferrite-server (FERRITE_SERVER_BINARY) on free ports, and stops it.

const assert = require('node:assert');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { readFileSync, readdirSync } = require('node:fs');

const READY = /^ferrite-server ready grpc=(\S+) http=(\S*)\n$/;

class ServerProcess {
  // Resolves when the server serves.
  static async start(...flags) {
    const environment = Object.entries(process.env).filter(
      ([name]) => !name.startsWith('FERRITE_'),
    );
    const command = [
      process.env.FERRITE_SERVER_BINARY,
      '--listen=127.0.0.1:0',
      '--http-listen=127.0.0.1:0',
      ...flags,
    ];
    // The server dies with this process, whatever happens.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
      env: Object.fromEntries(environment),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new ServerProcess();
    server.child = child;
    server.exit = once(child, 'exit');
    server.log = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (server.log += text));
    let line = '';
    await new Promise((resolve) => {
      child.stdout.setEncoding('utf8').on('data', (text) => {
        line += text;
        if (line.endsWith('\n')) resolve();
      });
      child.stdout.on('end', resolve);
    });
    const ready = READY.exec(line);
    assert(ready, `no ready line but ${JSON.stringify(line)}\n${server.log}`);
    server.grpcAddress = ready[1];
    return server;
  }

  get pid() {
    return this.child.pid;
  }

  // Asks the server to stop; it must exit with 0.
  async stop() {
    this.child.kill('SIGTERM');
    const [code, signal] = await this.exit;
    assert.deepStrictEqual([code, signal], [0, null], this.log);
  }

  // Suspends the server, whatever it is doing. The signal reaches the threads one by one.
  freeze() {
    this.child.kill('SIGSTOP');
    const tasks = `/proc/${this.pid}/task`;
    const isStopped = (task) => /\) T /.test(readFileSync(`${tasks}/${task}/stat`, 'latin1'));
    while (!readdirSync(tasks).every(isStopped));
  }

  thaw() {
    this.child.kill('SIGCONT');
  }
}

module.exports = { ServerProcess };
