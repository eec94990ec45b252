// The page of ryde-map, driven in a browser: what a user sees, does, and must be safe from.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import { Server, launch, line, root, scratch, until } from './stage.mjs';

const look = path.join(root, 'build/map-look'); // screenshots, for people
const checks = [];
const check = (name, run) => checks.push({ name, run });
const browser = await launch();

// A page on a server. Whatever it complains of, or asks of others, fails the check.
async function open(server, options = {}, before = async () => {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light', ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && page.complaints.push(m.text()));
  page.on('pageerror', (e) => page.complaints.push(String(e)));
  page.on('dialog', (d) => { page.complaints.push(`dialog: ${d.message()}`); d.dismiss(); });
  page.on('request', (r) => {
    if (!r.url().startsWith(new URL('/', server.url).href) && !options.others) page.complaints.push(`asked ${r.url()}`);
  });
  await before(page);
  await page.goto(server.url);
  await status(page, 'live');
  return page;
}

async function close(page) {
  const { complaints } = page;
  await page.context().close();
  assert.deepEqual(complaints, []);
}

const status = (page, name) => page.waitForSelector(`#status[data-state="${name}"]`);
const rows = (page) => page.$$eval('#list tbody tr', (trs) => trs.map((tr) => [...tr.children].map((c) => c.textContent)));
const names = async (page) => (await rows(page)).map((r) => r[0]);
const onMap = (page) => page.evaluate(() => window.ryde.herd.shown.map((s) => s.unicorn.name).sort());
const where = (page, name) => page.evaluate((n) => {
  const s = window.ryde.herd.shown.find((one) => one.unicorn.name === n);
  return s && { x: s.x, y: s.y };
}, name);
const card = (page) => page.$$eval('.card .body > dl:not(.fields) dt',
  (dts) => Object.fromEntries(dts.map((dt) => [dt.textContent, dt.nextElementSibling.textContent])));
const pixel = (page, { x, y }) => page.evaluate(([px, py]) => {
  const canvas = document.querySelector('.leaflet-herd-pane canvas'), ratio = window.devicePixelRatio;
  return [...canvas.getContext('2d').getImageData(Math.round(px * ratio), Math.round(py * ratio), 1, 1).data];
}, [x, y]);
const still = (page) => until(async () => !(await page.evaluate(() => window.ryde.herd.moving)), 'all have arrived');

check('the page is small, all of it is our own, and the token does not stay in sight', async () => {
  const server = await Server.start();
  let bytes = 0;
  const page = await open(server, {}, async (p) => {
    const client = await p.context().newCDPSession(p);
    await client.send('Network.enable');
    client.on('Network.loadingFinished', (e) => { bytes += e.encodedDataLength; });
  });
  assert.equal(page.url(), new URL('/', server.url).href);
  await until(() => bytes > 100000, 'it was loaded');
  assert.ok(bytes < 300000, `${bytes} bytes`);
  const cookies = await page.context().cookies();
  assert.deepEqual(cookies.map((c) => [c.name, c.httpOnly, c.sameSite]), [[`ryde-map-${server.port}`, true, 'Strict']]);
  const other = await browser.newPage();
  const answer = await other.goto(new URL('/', server.url).href);
  assert.equal(answer.status(), 401);
  await other.close();
  await close(page);
  await server.end();
});

check('who is sent appears where it is, moves evenly, and has a heading', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server);
  assert.equal(await page.textContent('#none'), 'Nobody is on the map.');
  server.send(line('Shadowfax', 40.75, -73.99), line('Rocinante', 40.74, -73.98), line('Pegasus', 40.76, -73.97));
  await until(async () => (await onMap(page)).length === 3, 'three on the map');
  assert.deepEqual(await names(page), ['Pegasus', 'Rocinante', 'Shadowfax']);
  await until(async () => {
    const want = await page.evaluate(() => window.ryde.map.latLngToContainerPoint([40.75, -73.99]));
    const got = await where(page, 'Shadowfax');
    return Math.hypot(want.x - got.x, want.y - got.y) < 1;
  }, 'it is at its place');
  // the body, whose color the style sheet names
  const body = await page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--map-body').trim());
  const at = await where(page, 'Shadowfax');
  const [r, g, b] = await pixel(page, { x: at.x + 4, y: at.y });
  assert.equal(`#${[r, g, b].map((v) => v.toString(16).padStart(2, '0')).join('')}`, body);

  await new Promise((ok) => setTimeout(ok, 500)); // the time between two lines is how long the way takes
  const from = await where(page, 'Rocinante');
  server.send(line('Rocinante', 40.74, -73.975, 1));
  await until(() => page.evaluate(() => window.ryde.herd.moving), 'it moves');
  const seen = [];
  await until(async () => {
    seen.push((await where(page, 'Rocinante')).x);
    return !(await page.evaluate(() => window.ryde.herd.moving));
  }, 'it has arrived');
  const steps = seen.map((x, i) => x - (i > 0 ? seen[i - 1] : from.x));
  assert.ok(steps.every((s) => s >= -1e-6), `never back: ${steps}`);
  assert.ok(seen.filter((x) => x > from.x + 0.5 && x < seen.at(-1) - 0.5).length > 0, `on its way: ${seen}`);
  assert.ok(Math.abs(await page.evaluate(() => [...window.ryde.fleet.unicorns.values()].find((u) => u.name === 'Rocinante').heading) - 90) < 0.5);
  await close(page);
  await server.end();
});

check('the card has the right values, and the whole line as it is written', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server);
  server.send(line('Shadowfax', 40.75, -73.98));
  await until(async () => (await onMap(page)).length === 1);
  // 0.00027 degrees of latitude are 30.02 m on a sphere of 6371.0088 km; two seconds later, two lines
  server.send(line('Shadowfax', 40.750135, -73.98, 1));
  await until(() => page.evaluate(() => [...window.ryde.fleet.unicorns.values()][0].lines === 2));
  server.send('{"Name":"Shadowfax","StatusTime":"2026-11-23 14:00:02.000","Latitude":40.750405,"Longitude":-73.98,"Distance":30.2,' +
    '"HealthPoints":151,"MagicPoints":99.5,"Big":12345678901234567890,"Text":"<b>\\u00fc</b>","List":[1,{"a":"}"}],"None":null}');
  await until(() => page.evaluate(() => [...window.ryde.fleet.unicorns.values()][0].lines === 3));
  await still(page);
  const at = await where(page, 'Shadowfax');
  const box = await page.locator('#map').boundingBox();
  await page.mouse.click(box.x + at.x, box.y + at.y);
  await page.waitForSelector('.card h2');
  assert.equal(await page.textContent('.card h2'), 'Shadowfax');
  await until(async () => (await card(page)).HealthPoints === '151', 'the newest line');
  const facts = await card(page);
  assert.equal(facts.Speed, '30.0 m/s (67.2 mph)');
  assert.equal(facts['By Distance'], '30.2 m/s (67.6 mph)');
  assert.equal(facts.Heading, 'N (0°)');
  assert.equal(facts.MagicPoints, '99.5 (low, below 100)');
  assert.equal(facts.Place, '40.7504° N, 73.9800° W');
  assert.match(facts['Last seen'], /^just now$|^\d+ s ago$/);
  await page.waitForSelector('.card .chart svg[aria-label^="Health, last 3 minutes: 150.0 to 151.0"]');
  await page.click('.card summary');
  await page.waitForSelector('.card .fields dt');
  const fields = await page.$$eval('.card .fields dt', (dts) => Object.fromEntries(dts.map((dt) => [dt.textContent, dt.nextElementSibling.textContent])));
  assert.equal(fields.Big, '12345678901234567890');
  assert.equal(fields.Text, '<b>ü</b>');
  assert.equal(fields.List, '[1,{"a":"}"}]');
  assert.equal(fields.None, 'null');
  // it goes with its unicorn
  const before = await page.locator('.card').boundingBox();
  server.send(line('Shadowfax', 40.7507, -73.98, 3));
  await until(async () => (await page.locator('.card').boundingBox()).y < before.y - 2, 'the card moves');
  await close(page);
  await server.end();
});

check('alerts are marked, counted, filtered and told; the list sorts and filters', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server);
  server.send(line('b10', 40.75, -73.98), line('b9', 40.751, -73.981, 0, { HealthPoints: 99 }),
    line('a', 40.752, -73.982, 0, { MagicPoints: 120 }), line('C', 40.753, -73.983, 0, { HealthPoints: null, MagicPoints: 'much' }));
  await until(async () => (await rows(page)).length === 4);
  assert.deepEqual(await names(page), ['a', 'b9', 'b10', 'C']);
  assert.equal((await rows(page))[1][2], '99 low');
  assert.deepEqual((await rows(page))[3].slice(2, 4), ['–', '–']);
  assert.equal(await page.textContent('#alerts'), '1');
  assert.match(await page.textContent('#counts'), /^4 on the map, 1 low$/);
  assert.match(await page.textContent('#news'), /b9: HealthPoints 99, below 100/);
  assert.equal(await page.locator('tr.alert').count(), 1);
  await page.click('th[data-sort="magic"] button');
  assert.equal((await names(page))[0], 'a');
  assert.equal(await page.getAttribute('th[data-sort="magic"]', 'aria-sort'), 'ascending');
  await page.click('th[data-sort="name"] button');
  await page.click('th[data-sort="name"] button');
  assert.deepEqual(await names(page), ['C', 'b10', 'b9', 'a']);
  await page.fill('#filter', 'B');
  assert.deepEqual(await names(page), ['b10', 'b9']);
  await page.check('#only');
  assert.deepEqual(await names(page), ['b9']);
  await page.fill('#filter', 'zz');
  assert.equal(await page.textContent('#none'), 'Nobody fits the filter.');
  await page.fill('#filter', '');
  server.send(line('b9', 40.751, -73.981, 1, { HealthPoints: 100 }));
  await until(async () => (await rows(page)).length === 0, 'no alert any more');
  await close(page);
  await server.end();
});

check('a unicorn is gone 30 seconds after its last line', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server, {}, (p) => p.clock.install());
  server.send(line('old', 40.75, -73.98), line('young', 40.751, -73.98));
  await until(async () => {
    await page.clock.runFor(100);
    return (await onMap(page)).length === 2;
  }, 'both on the map');
  // ages are the server's, whose clock nobody sets: the two must lie apart by more than the checks below take
  const since = Date.now();
  await until(() => Date.now() - since > 5000);
  await page.clock.runFor(20000);
  server.send(line('young', 40.7511, -73.98, 20));
  await until(() => page.evaluate(() => [...window.ryde.fleet.unicorns.values()].some((u) => u.lines === 2)));
  const left = await page.evaluate(() => {
    const f = window.ryde.fleet;
    return 30000 - (f.now() - [...f.unicorns.values()].find((u) => u.name === 'old').last.seen);
  });
  await page.clock.runFor(Math.max(0, left - 1500));
  assert.deepEqual(await onMap(page), ['old', 'young']);
  await page.clock.runFor(2500);
  assert.deepEqual(await onMap(page), ['young']);
  assert.deepEqual(await names(page), ['young']);
  await page.clock.runFor(30000);
  assert.deepEqual(await onMap(page), []);
  assert.equal(await page.textContent('#counts'), '0 on the map');
  await close(page);
  await server.end();
});

check('odd names are only odd names', async () => {
  const odd = ['<img src=x onerror=window.hit=1>', '<script>window.hit=1</script>', '"><svg onload=window.hit=1>', "'-window.hit-'",
    'javascript:window.hit=1', '</title></textarea><b>', '\u202Egnp.exe', '${window.hit=1}', '{{7*7}}', '__proto__', 'constructor',
    'a\u0000b\nc\td', '\uFFFF', '🦄'.repeat(60), ' ', 'x'.repeat(256)];
  const server = await Server.start('--no-token', '--name', '.Name');
  const page = await open(server);
  server.send(...odd.map((n, i) => line(n, 40.75 + i / 1000, -73.98, 0, { [n]: n, HealthPoints: 1 })));
  await until(async () => (await rows(page)).length === odd.length, 'all of them');
  assert.deepEqual((await names(page)).sort(), [...odd].sort());
  for (const n of odd) {
    await page.evaluate((name) => [...document.querySelectorAll('button.name')].find((b) => b.textContent === name).click(), n);
    await until(async () => (await page.textContent('.card h2')) === n, n);
    if (!(await page.$('.card details[open]'))) await page.click('.card summary');
    await until(async () => (await page.$$eval('.card .fields dd', (dds) => dds.map((d) => d.textContent))).includes(n), `the line of ${n}`);
  }
  assert.equal(await page.evaluate(() => window.hit), undefined);
  assert.equal(await page.locator('#list img, #list svg, #list script, .card img, .card script, .card b, #news img').count(), 0);
  assert.equal(await page.evaluate(() => ({}).polluted ?? Object.keys(Object.prototype).length), 0);
  await close(page);
  await server.end();
});

check('two browsers see the same, and one that comes later sees the trails', async () => {
  const server = await Server.start('--no-token');
  const first = await open(server), second = await open(server, { colorScheme: 'dark' });
  for (let i = 0; i < 3; i++) {
    server.send(line('a', 40.75 + i / 1000, -73.98, i), line('b', 40.76, -73.97 - i / 1000, i));
    await new Promise((ok) => setTimeout(ok, 950));
  }
  const places = (page) => page.evaluate(() => [...window.ryde.fleet.unicorns.values()].map((u) => [u.id, u.name, u.last.latitude, u.last.longitude, u.lines]).sort());
  await until(async () => (await places(second))[0]?.[4] === 3);
  assert.deepEqual(await places(first), await places(second));
  const late = await open(server);
  await until(async () => (await places(late)).length === 2);
  assert.deepEqual(await places(late), await places(first));
  const history = await late.evaluate(() => [...window.ryde.fleet.unicorns.values()].find((u) => u.name === 'a').history.map((p) => p.latitude));
  assert.deepEqual(history, [40.75, 40.751, 40.752]);
  for (const page of [first, second, late]) await close(page);
  await server.end();
});

check('it finds its way back after a restart, and says what is wrong meanwhile', async () => {
  const token = path.join(scratch, 'token');
  const server = await Server.start('--token-file', token);
  const page = await open(server);
  server.send(line('before', 40.75, -73.98));
  await until(async () => (await names(page)).length === 1);
  await server.kill();
  await status(page, 'lost');
  const again = await Server.start('--token-file', token, '--listen', `127.0.0.1:${server.port}`);
  again.send(line('after', 40.75, -73.98));
  await until(async () => (await names(page)).join() === 'after', 'the new run alone');
  await status(page, 'live');
  await again.end();
  await status(page, 'ended');
  // another token: the page says so and does not give up
  const stranger = await Server.start('--listen', `127.0.0.1:${server.port}`);
  await status(page, 'refused');
  await stranger.end();
  page.complaints = page.complaints.filter((c) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_EMPTY|ERR_CONNECTION_RESET|401/.test(c));
  await close(page);
});

check('pause holds the picture, rewind shows what was, Live returns', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server);
  server.send(line('a', 40.75, -73.98));
  await until(async () => (await onMap(page)).length === 1);
  await new Promise((ok) => setTimeout(ok, 2500));
  await page.click('#follow'); // the map shall stand
  await page.click('#pause');
  const held = await where(page, 'a');
  server.send(line('a', 40.755, -73.98, 3), line('new', 40.75, -73.985, 3));
  await until(() => page.evaluate(() => window.ryde.fleet.unicorns.size === 2), 'lines still come');
  await new Promise((ok) => setTimeout(ok, 1200));
  assert.deepEqual(await onMap(page), ['a']);
  assert.deepEqual(await where(page, 'a'), held);
  assert.equal(await page.textContent('#pause'), 'Resume');
  await page.click('#now');
  await until(async () => (await onMap(page)).length === 2, 'live again');
  await still(page);
  assert.ok((await where(page, 'a')).y < held.y - 5);
  await page.click('#pause');
  const back = await page.evaluate(() => {
    const { fleet } = window.ryde, u = [...fleet.unicorns.values()].find((one) => one.name === 'new');
    return Math.floor((u.last.seen - fleet.now()) / 1000) - 1;
  });
  await page.fill('#back', String(back));
  await until(async () => (await onMap(page)).join() === 'a' && Math.abs((await where(page, 'a')).y - held.y) < 1, 'where it was');
  assert.match(await page.textContent('#when'), /^-\d+ s$/);
  await page.click('#now');
  await until(async () => (await onMap(page)).length === 2);
  assert.ok(await page.isDisabled('#now'));
  await close(page);
  await server.end();
});

check('it follows the fleet until the map is moved by hand', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server);
  const sees = (latitude, longitude) => page.evaluate((at) => window.ryde.map.getBounds().contains(at), [latitude, longitude]);
  server.send(line('a', 48.1, 11.5));
  await until(() => sees(48.1, 11.5), 'the map goes there');
  server.send(line('a', 52.5, 13.4, 1));
  await until(() => sees(52.5, 13.4), 'and after it');
  const box = await page.locator('#map').boundingBox();
  await page.mouse.move(box.x + 300, box.y + 300);
  await page.mouse.down();
  await page.mouse.move(box.x + 500, box.y + 400, { steps: 5 });
  await page.mouse.up();
  assert.equal(await page.getAttribute('#follow', 'aria-pressed'), 'false');
  server.send(line('a', 40, -100, 2));
  await until(() => page.evaluate(() => [...window.ryde.fleet.unicorns.values()][0].last.latitude === 40));
  await new Promise((ok) => setTimeout(ok, 1500));
  assert.equal(await sees(40, -100), false);
  await page.click('#follow');
  await until(() => sees(40, -100), 'it follows again');
  await close(page);
  await server.end();
});

check('everything can be reached and used by keyboard, and has a name', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server);
  server.send(line('a', 40.75, -73.98), line('b', 40.751, -73.98));
  await until(async () => (await names(page)).length === 2);
  const reached = [];
  for (let i = 0; i < 30; i++) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate(() => {
      const e = document.activeElement;
      return e === document.body ? '' : e.id || e.className || e.textContent.trim();
    }));
  }
  for (const wanted of ['skip', 'theme', 'fold', 'leaflet-control-zoom-in', 'filter', 'only', 'Name', 'Seen', 'name', 'follow', 'pause', 'back'])
    assert.ok(reached.some((r) => r.includes(wanted)), `${wanted} in ${reached}`);
  assert.ok(reached.some((r) => r.startsWith('map')), `the map in ${reached}`);
  await page.focus('button.name');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.card h2');
  assert.equal(await page.getAttribute('button.name', 'aria-pressed'), 'true');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.card h2', { state: 'detached' });
  await page.focus('#map');
  const before = await page.evaluate(() => window.ryde.map.getCenter().lng);
  await page.keyboard.press('ArrowRight');
  await until(async () => (await page.evaluate(() => window.ryde.map.getCenter().lng)) > before, 'the map moves');
  assert.equal(await page.getAttribute('#follow', 'aria-pressed'), 'false');
  const nameless = await page.$$eval('button, input, a[href], [role]', (all) => all.filter((e) => {
    const label = e.getAttribute('aria-label') || e.title || e.textContent.trim() || e.labels?.[0]?.textContent;
    return !label && !['log', 'status', 'search'].includes(e.getAttribute('role'));
  }).map((e) => e.outerHTML));
  assert.deepEqual(nameless, []);
  await page.getByRole('table', { name: /Unicorns on the map/ }).waitFor();
  await page.getByRole('searchbox', { name: 'Filter by name' }).waitFor();
  await page.getByRole('slider', { name: /Rewind/ }).waitFor();
  await close(page);
  await server.end();
});

// WCAG 2.1, 1.4.3: relative luminance of colors, and their contrast.
function contrast(a, b) {
  const light = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((s, c, i) => s + c * [0.2126, 0.7152, 0.0722][i], 0);
  const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

check('light and dark: by the system, by the button, both with contrast', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server);
  const color = (name) => page.evaluate((n) => getComputedStyle(document.documentElement).getPropertyValue(`--${n}`).trim(), name);
  const measure = async () => {
    for (const [text, ground, least] of [['text', 'page', 7], ['soft', 'page', 4.5], ['accent', 'page', 4.5], ['alert', 'alert-page', 4.5],
      ['text', 'alert-page', 4.5], ['text', 'chosen', 4.5], ['map-label', 'map-land', 4.5], ['map-body', 'map-land', 3], ['map-alert', 'map-land', 3]])
      assert.ok(contrast(await color(text), await color(ground)) >= least, `${text} on ${ground}: ${contrast(await color(text), await color(ground))}`);
    return color('page');
  };
  const light = await measure();
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await measure();
  assert.notEqual(light, dark);
  await page.click('#theme');
  assert.equal(await color('page'), light);
  await page.reload();
  assert.equal(await page.textContent('#theme'), 'Theme: light');
  await page.click('#theme');
  assert.equal(await color('page'), dark);
  await close(page);
  await server.end();
});

check('streets: tiles of a server, with whose they are as text', async () => {
  const asked = [];
  const tiles = http.createServer((q, a) => {
    asked.push([q.url, q.headers.referer ?? '']);
    a.writeHead(200, { 'Content-Type': 'image/png', 'Cross-Origin-Resource-Policy': 'cross-origin' });
    a.end(Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64'));
  });
  await new Promise((ok) => tiles.listen(0, '127.0.0.1', ok));
  const server = await Server.start('--tiles', `http://127.0.0.1:${tiles.address().port}/{z}/{x}/{y}.png`, '--attribution', '<i>Me</i> & you');
  const page = await open(server, { others: true });
  await until(() => asked.length > 3, 'tiles are asked for');
  assert.match(asked[0][0], /^\/\d+\/\d+\/\d+\.png$/);
  for (const [, from] of asked) assert.equal(from, new URL('/', server.url).href);
  assert.match(await page.textContent('.leaflet-control-attribution'), /<i>Me<\/i> & you/);
  await close(page);
  await server.end();
  tiles.close();
});

// The lines of one second of a fleet; one of it is hurt.
function second(i) {
  return ['Shadowfax', 'Bucephalus', 'Rocinante', 'Pegasus', 'Sleipnir', 'Bayard'].map((n, k) =>
    line(n, 40.749167 + i * 27e-5 * Math.cos(k), -73.985184 + i * 36e-5 * Math.sin(k), i,
      { HealthPoints: k === 2 ? 97 - i % 9 : 150 + ((i * 7 + k) % 5), MagicPoints: 150 - ((i * 3 + k) % 4) }));
}

check('what it looks like: light, dark, a phone, the world (build/map-look)', async () => {
  mkdirSync(look, { recursive: true });
  const server = await Server.start('--no-token');
  const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
  let i = 0;
  const ride = setInterval(() => server.send(...second(i++)), 1000);
  const choose = (page, name) => page.evaluate((n) => [...document.querySelectorAll('button.name')].find((b) => b.textContent === n).click(), name);
  const shoot = async (name, options, act = async () => {}) => {
    const page = await open(server, options);
    await until(async () => (await onMap(page)).length === 6, 'all of them');
    await until(() => i > 8);
    await act(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `nothing hangs over: ${wide}`);
    await new Promise((ok) => setTimeout(ok, 2500)); // until the ground is drawn
    await page.screenshot({ path: path.join(look, `${name}.png`) });
    await close(page);
  };
  try {
    await shoot('light', {});
    await shoot('dark', { colorScheme: 'dark' }, async (page) => {
      await choose(page, 'Rocinante');
      await page.evaluate(() => document.querySelector('.card summary').click());
    });
    await shoot('phone', phone);
    await shoot('phone-dark', { ...phone, colorScheme: 'dark' }, async (page) => {
      // a tap, and the card fits into the map
      const at = await where(page, 'Pegasus'), box = await page.locator('#map').boundingBox();
      await page.touchscreen.tap(box.x + at.x, box.y + at.y);
      await until(async () => {
        const c = await page.evaluate(() => document.querySelector('.card')?.getBoundingClientRect().toJSON());
        return c && c.x >= -1 && c.right <= 391 && c.y >= box.y - 1 && c.bottom <= box.y + box.height + 1;
      }, 'the card is in sight');
    });
    await shoot('world', {}, async (page) => {
      await page.click('#follow');
      await page.evaluate(() => window.ryde.map.setView([25, 0], 2, { animate: false }));
    });
  } finally {
    clearInterval(ride);
    await server.end();
  }
});

// ---- run ----

const word = process.argv[2] ?? '';
let passed = 0, failed = 0;
for (const { name, run } of checks) {
  if (!name.includes(word)) continue;
  try {
    await run();
    passed++;
    console.log(`ok: ${name}`);
  } catch (e) {
    failed++;
    console.log(`not ok: ${name}\n${e.stack}`);
    for (const c of browser.contexts()) await c.close();
  }
}
await browser.close();
console.log(`map: ${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
