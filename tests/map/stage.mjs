// What the checks stand on: a ryde-map of their own, a browser, and waiting for conditions.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const build = process.env.RYDE_BUILD ?? path.join(root, 'build');
const program = path.join(process.env.RYDE_BIN ?? path.join(build, 'bin'), 'ryde-map');
const { chromium } = createRequire(path.join(root, 'build/npm/'))('playwright-core');
export const scratch = mkdtempSync(path.join(tmpdir(), 'ryde-map.'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

export const launch = () => chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });

export async function until(condition, what) {
  for (let i = 0; i < 1500; i++) {
    const value = await condition();
    if (value) return value;
    await new Promise((ok) => setTimeout(ok, 20));
  }
  throw new Error(`never: ${what ?? condition}`);
}

// A ryde-map that waits for lines.
export class Server {
  static async start(...options) {
    const s = new Server();
    s.child = spawn(program, ['--listen', '127.0.0.1:0', ...options], { stdio: ['pipe', 'ignore', 'pipe'] });
    s.said = '';
    s.child.stderr.on('data', (d) => { s.said += d; });
    s.child.stdin.on('error', () => {}); // it may be killed while we write
    s.ended = new Promise((ok) => s.child.on('exit', (status) => ok(status)));
    s.url = await until(() => /the map is at (\S+)/.exec(s.said)?.[1], `an address in: ${s.said}`);
    return s;
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
