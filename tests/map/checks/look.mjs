// What it looks like: colors, streets, and pictures for people.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import { choose, close, onMap, open, settled, where } from '../page.mjs';
import { build, check, line, Server, until } from '../stage.mjs';

const look = path.join(build, 'map-look');

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
  const shoot = async (name, options, act = async () => {}) => {
    const page = await open(server, options);
    await until(async () => (await onMap(page)).length === 6, 'all of them');
    await until(() => i > 8, 'they have trails');
    // a still picture: what is tapped is there, and all that is seen is of one moment
    await settled(page, false);
    await page.click('#pause');
    await act(page);
    await settled(page, false);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wide <= 0, `nothing hangs over: ${wide}`);
    await page.screenshot({ path: path.join(look, `${name}.png`) });
    await close(page);
  };
  try {
    await shoot('light', {});
    await shoot('dark', { colorScheme: 'dark' }, async (page) => {
      await choose(page, 'Rocinante');
      await page.evaluate(() => document.querySelector('.card summary').click());
      await page.waitForSelector('.card .fields dt');
    });
    await shoot('phone', phone);
    await shoot('phone-dark', { ...phone, colorScheme: 'dark' }, async (page) => {
      // a tap where the unicorn is, for the map stands; and the card fits into the map
      await page.click('#follow');
      await settled(page, false);
      const at = await where(page, 'Pegasus'), box = await page.locator('#map').boundingBox();
      await page.touchscreen.tap(box.x + at.x, box.y + at.y);
      await until(() => page.evaluate(([top, bottom]) => {
        const c = document.querySelector('.card')?.getBoundingClientRect();
        return c && c.x >= -1 && c.right <= 391 && c.y >= top - 1 && c.bottom <= bottom + 1;
      }, [box.y, box.y + box.height]), 'the card is in sight');
      await until(() => page.evaluate(() => {
        const { x, y, width, height } = document.querySelector('.leaflet-popup-close-button').getBoundingClientRect();
        return document.elementFromPoint(x + width - 4, y + height / 2).className === 'leaflet-popup-close-button';
      }), 'what shuts it lies under no other button');
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
