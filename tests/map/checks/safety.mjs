// What the page must be safe from, and what it does not do.
import assert from 'node:assert/strict';

import { all, browser, choose, close, names, open, rows, settled } from '../page.mjs';
import { check, line, Server, until } from '../stage.mjs';

check('the page is small, all of it is our own, and the token does not stay in sight', async () => {
  const server = await Server.start();
  let bytes = 0;
  const page = await open(server, { before: async (p) => {
    const client = await p.context().newCDPSession(p);
    await client.send('Network.enable');
    client.on('Network.loadingFinished', (e) => { bytes += e.encodedDataLength; });
  } });
  assert.equal(page.url(), new URL('/', server.url).href);
  await settled(page);
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
    await choose(page, n);
    await until(async () => (await page.textContent('.card h2')) === n, n);
    if (!(await page.$('.card details[open]'))) await page.click('.card summary');
    await until(async () => (await all(page, '.card .fields dd', (dds) => dds.map((d) => d.textContent))).includes(n), `the line of ${n}`);
  }
  assert.equal(await page.evaluate(() => window.hit), undefined);
  assert.equal(await page.locator('#list img, #list svg, #list script, .card img, .card script, .card b, #news img').count(), 0);
  assert.equal(await page.evaluate(() => ({}).polluted ?? Object.keys(Object.prototype).length), 0);
  await close(page);
  await server.end();
});
