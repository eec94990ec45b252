// What the checks stand on: a ryde-map of their own, lines for it, and waiting for conditions.
//
// No check depends on how fast anything is. What must have happened is waited for; what must not happen, and all that depends
// on ages, is seen on a page whose clock only the check moves (page.mjs). Where the server's clock must have come to some
// point, passed() sees to it: more time does no harm there.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const build = process.env.RYDE_BUILD ?? path.join(root, 'build');
const program = path.join(process.env.RYDE_BIN ?? path.join(build, 'bin'), 'ryde-map');
export const scratch = mkdtempSync(path.join(tmpdir(), 'ryde-map.'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

export const PATIENCE_MS = 90000; // until something is taken for hung, which says nothing of speed

// A check: run() throws where the page is not as it shall be.
export const checks = [];
export const check = (name, run) => checks.push({ name, run });

const pause = (ms) => new Promise((ok) => setTimeout(ok, ms));

// The first value of condition() that is true.
export async function until(condition, what) {
  const begin = performance.now();
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() - begin > PATIENCE_MS) throw new Error(`never: ${what ?? condition}`);
    await pause(20);
  }
}

// Returns when at least so much time has gone by, for the server too.
export async function passed(ms) {
  const begin = performance.now();
  while (performance.now() - begin < ms) await pause(ms / 10);
}

// A ryde-map that waits for lines. Its names stay, and its viewers, however slow all is, unless options say otherwise.
export class Server {
  static all = new Set();

  static async start(...options) {
    const s = new Server();
    s.child = spawn(program, ['--listen', '127.0.0.1:0', '--forget', '1h', '--patience', '10m', ...options],
      { stdio: ['pipe', 'ignore', 'pipe'] });
    Server.all.add(s);
    s.said = '';
    s.child.stderr.on('data', (d) => { s.said += d; });
    s.child.stdin.on('error', () => {}); // it may be killed while we write
    s.ended = new Promise((ok) => s.child.on('exit', (status) => {
      Server.all.delete(s);
      ok(status);
    }));
    let over = false;
    s.ended.then(() => { over = true; });
    s.url = await until(() => over ? 'none' : /the map is at (\S+)/.exec(s.said)?.[1], 'an address');
    if (s.url === 'none') throw new Error(`ryde-map has ended: ${s.said}`);
    return s;
  }

  // On a port that stays free for the next one when this one ends: none that the kernel gives away, at either end, and none of
  // the low ones that browsers refuse.
  static async startToReturn(...options) {
    const [first] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split('\t').map(Number);
    for (let tries = 1; ; tries++) {
      const port = 20000 + (process.pid * 7 + tries * 101) % Math.max(1, first - 20000);
      try {
        return await Server.start('--listen', `127.0.0.1:${port}`, ...options);
      } catch (e) {
        if (tries === 20) throw e; // others listen on all of them?
      }
    }
  }

  get port() {
    return /:(\d+)\//.exec(this.url)[1];
  }

  send(...lines) {
    this.child.stdin.write(lines.map((l) => `${typeof l === 'string' ? l : JSON.stringify(l)}\n`).join(''));
  }

  end() {
    this.child.stdin.end();
    return this.ended;
  }

  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

const START = Date.UTC(2026, 10, 23, 14);

// A line of the workshop's kind, `second` seconds after the start.
export function line(name, latitude, longitude, second = 0, more = {}) {
  const time = new Date(START + second * 1000).toISOString().replace('T', ' ').replace('Z', '');
  return { Name: name, StatusTime: time, Latitude: latitude, Longitude: longitude, Distance: 30.2, MagicPoints: 150,
    HealthPoints: 150, ...more };
}
