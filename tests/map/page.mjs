// A browser with pages of a ryde-map, what is on them, and their clocks.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { PATIENCE_MS, root, until } from './stage.mjs';

const CHROMIUM = '/usr/bin/chromium';
const SLOW = Number(process.env.RYDE_MAP_SLOW ?? 1); // pages compute so many times slower than they could

export async function launch() {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing: make map-check installs it`);
  const { chromium } = createRequire(path.join(root, 'build/npm/'))('playwright-core');
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'], timeout: PATIENCE_MS });
}

export const browser = await launch();

// A page on a server. Whatever it complains of, or asks of others, fails the check. options are the browser context's, and
//   others: true   it may ask others
//   stopped: true  its clock stands still but for run()
//   before         is called with the page before it has a document
export async function open(server, { others = false, stopped = false, before = async () => {}, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.complaints = [];
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && page.complaints.push(m.text()));
  page.on('pageerror', (e) => page.complaints.push(String(e)));
  page.on('dialog', (d) => { page.complaints.push(`dialog: ${d.message()}`); d.dismiss(); });
  page.on('request', (r) => {
    if (!r.url().startsWith(new URL('/', server.url).href) && !others) page.complaints.push(`asked ${r.url()}`);
  });
  if (SLOW > 1) await (await context.newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: SLOW });
  if (stopped) {
    await page.clock.install({ time: 0 });
    await page.clock.pauseAt(3600000); // it cannot be there yet
  }
  await page.addInitScript(recordStates);
  await before(page);
  page.began = performance.now();
  page.ran = 0;
  await page.goto(server.url);
  await status(page, 'live');
  return page;
}

// In the page: keeps every state that it ever shows, for some are short.
function recordStates() {
  window.states = [];
  document.addEventListener('DOMContentLoaded', () => {
    const shown = document.getElementById('status');
    const keep = () => window.states.push(shown.dataset.state);
    keep();
    new MutationObserver(keep).observe(shown, { attributes: true, attributeFilter: ['data-state'] });
  });
}

export async function close(page) {
  const { complaints } = page;
  await page.context().close();
  assert.deepEqual(complaints, []);
}

// ---- its clock, where it is stopped ----

// Moves it on by ms, with all that is due meanwhile.
export async function run(page, ms) {
  page.ran += ms;
  await page.clock.runFor(ms);
}

// Lets the server's clock come to where the page's is: the next message then sets the page's time exactly.
export const catchUp = (page) => until(() => performance.now() - page.began >= page.ran, 'the clock has come there');

// ---- what is on it ----

export const status = (page, name) => page.waitForSelector(`#status[data-state="${name}"]`);

// Waits until it has shown a state since the last time that this was called.
export async function showed(page, name) {
  page.statesSeen = await until(() => page.evaluate(([n, from]) => window.states.indexOf(n, from) + 1, [name, page.statesSeen ?? 0]),
    `the state ${name}`);
}

// In one step ($$eval takes two): the page writes its lists anew between any two.
export const all = (page, selector, act) => page.evaluate(`(${act})([...document.querySelectorAll(${JSON.stringify(selector)})])`);

export const rows = (page) => all(page, '#list tbody tr', (trs) => trs.map((tr) => [...tr.children].map((c) => c.textContent)));
export const names = async (page) => (await rows(page)).map((r) => r[0]);

// Of everybody it has heard of, by name: {lines, seen, latitude, longitude, heading}.
export const heard = (page) => page.evaluate(() => Object.fromEntries([...window.ryde.fleet.unicorns.values()].map((u) =>
  [u.name, { lines: u.lines, seen: u.last.seen, latitude: u.last.latitude, longitude: u.last.longitude, heading: u.heading }])));
export const lines = async (page, name) => (await heard(page))[name]?.lines ?? 0;
export const now = (page) => page.evaluate(() => window.ryde.fleet.now());

export const onMap = (page) => page.evaluate(() => window.ryde.herd.shown.map((s) => s.unicorn.name).sort());
export const moving = (page) => page.evaluate(() => window.ryde.herd.moving);

// Where a unicorn is painted, in pixels of the map; undefined where it is not.
export const where = (page, name) => page.evaluate((n) => {
  const s = window.ryde.herd.shown.find((one) => one.unicorn.name === n);
  return s && { x: s.x, y: s.y };
}, name);

// Waits until nobody moves, the map neither, and each thing that the ground is made of is there and drawn. With `herd` false
// the unicorns may move.
export const settled = (page, herd = true) => until(() => page.evaluate((still) => {
  const { ryde } = window, spot = {};
  const there = (u) => u.at(ryde.herd.time, 0, spot) && spot.point === u.last && !spot.moving;
  return (!still || [...ryde.fleet.unicorns.values()].every(there)) && [...ryde.ground.files.values()].every((f) => f !== null) &&
    !document.querySelector('.leaflet-zoom-anim, .leaflet-pan-anim, .leaflet-tile:not(.leaflet-tile-loaded)');
}, herd), 'all has arrived and is drawn');

// The facts of the card, by name.
const pairs = (dts) => Object.fromEntries(dts.map((dt) => [dt.textContent, dt.nextElementSibling.textContent]));
export const card = (page) => all(page, '.card .body > dl:not(.fields) dt', pairs);
// The members of the latest line that it shows.
export const fields = (page) => all(page, '.card .fields dt', pairs);

// Picks a unicorn in the list.
export const choose = (page, name) => page.evaluate((n) =>
  [...document.querySelectorAll('button.name')].find((b) => b.textContent === n).click(), name);
