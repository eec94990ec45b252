// What a user does with hand and keyboard.
import assert from 'node:assert/strict';

import { all, close, heard, names, open, run, settled } from '../page.mjs';
import { check, line, Server, until } from '../stage.mjs';

check('it follows the fleet until the map is moved by hand', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server);
  const sees = (latitude, longitude) => page.evaluate((at) => window.ryde.map.getBounds().contains(at), [latitude, longitude]);
  server.send(line('a', 48.1, 11.5));
  await until(() => sees(48.1, 11.5), 'the map goes there');
  server.send(line('a', 52.5, 13.4, 1));
  await until(() => sees(52.5, 13.4), 'and after it');
  await settled(page); // a map that zooms cannot be dragged
  const box = await page.locator('#map').boundingBox();
  await page.mouse.move(box.x + 300, box.y + 300);
  await page.mouse.down();
  await page.mouse.move(box.x + 500, box.y + 400, { steps: 5 });
  await page.mouse.up();
  assert.equal(await page.getAttribute('#follow', 'aria-pressed'), 'false');
  await page.click('#follow');
  await until(() => sees(52.5, 13.4), 'it follows again');
  await close(page);
  await server.end();
});

check('a map that does not follow stays where it is, however long', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server, { stopped: true });
  const bounds = () => page.evaluate(() => window.ryde.map.getBounds().toBBoxString());
  server.send(line('a', 52.5, 13.4));
  await until(async () => (await heard(page)).a);
  await run(page, 3000);
  await page.click('#follow');
  const before = await bounds();
  server.send(line('a', 40, -100, 2));
  await until(async () => (await heard(page)).a.latitude === 40);
  await run(page, 10000);
  assert.equal(await bounds(), before);
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
  await settled(page);
  await page.focus('#map');
  const before = await page.evaluate(() => window.ryde.map.getCenter().lng);
  await page.keyboard.press('ArrowRight');
  await until(async () => (await page.evaluate(() => window.ryde.map.getCenter().lng)) > before, 'the map moves');
  assert.equal(await page.getAttribute('#follow', 'aria-pressed'), 'false');
  const nameless = await all(page, 'button, input, a[href], [role]', (found) => found.filter((e) => {
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
