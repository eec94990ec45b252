// The list beside the map, and alerts.
import assert from 'node:assert/strict';

import { close, lines, names, open, rows, run } from '../page.mjs';
import { check, line, Server, until } from '../stage.mjs';

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

check('an alert that comes soon after another one is told later, if it still is one', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server, { stopped: true });
  const news = () => page.textContent('#news');
  server.send(line('first', 40.75, -73.98, 0, { HealthPoints: 9 }));
  await until(() => lines(page, 'first'));
  assert.equal(await news(), 'first: HealthPoints 9, below 100. ');
  server.send(line('second', 40.75, -73.98, 0, { MagicPoints: 8 }), line('healed', 40.75, -73.98, 0, { MagicPoints: 7 }));
  await until(() => lines(page, 'healed'));
  server.send(line('healed', 40.75, -73.98, 1));
  await until(async () => (await lines(page, 'healed')) === 2 && (await lines(page, 'second')) === 1);
  await run(page, 4400);
  assert.equal(await news(), 'first: HealthPoints 9, below 100. ');
  await run(page, 1200);
  assert.equal(await news(), 'first: HealthPoints 9, below 100. second: MagicPoints 8, below 100. ');
  await run(page, 10000);
  assert.equal(await news(), 'first: HealthPoints 9, below 100. second: MagicPoints 8, below 100. ');
  await close(page);
  await server.end();
});
