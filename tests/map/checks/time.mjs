// The page's own time: the server's as it was told last, going on with the page's clock; held, and turned back.
import assert from 'node:assert/strict';

import { catchUp, close, heard, lines, moving, now, onMap, open, run, where } from '../page.mjs';
import { check, line, passed, Server, until } from '../stage.mjs';

check('pause holds the picture, rewind shows what was, Live returns', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server, { stopped: true });
  await page.click('#follow'); // the map shall stand
  await page.evaluate(() => window.ryde.map.setView([40.75, -73.98], 15, { animate: false }));
  server.send(line('a', 40.75, -73.98));
  await until(() => lines(page, 'a'));
  await run(page, 600);
  assert.deepEqual(await onMap(page), ['a']);
  await page.click('#pause');
  const held = await where(page, 'a');
  await passed(2500);
  await catchUp(page);
  server.send(line('a', 40.755, -73.98, 3), line('new', 40.75, -73.985, 3));
  await until(async () => (await lines(page, 'a')) === 2 && (await lines(page, 'new')) === 1, 'lines still come');
  await run(page, 5000);
  assert.deepEqual(await onMap(page), ['a']);
  assert.deepEqual(await where(page, 'a'), held);
  assert.equal(await page.textContent('#pause'), 'Resume');
  await page.click('#now');
  await run(page, 20);
  assert.deepEqual(await onMap(page), ['a', 'new']);
  assert.equal(await moving(page), false);
  assert.ok((await where(page, 'a')).y < held.y - 5);
  await page.click('#pause');
  const back = Math.floor(((await heard(page)).new.seen - await now(page)) / 1000) - 1;
  await page.fill('#back', String(back));
  await run(page, 20);
  assert.deepEqual(await onMap(page), ['a']);
  assert.ok(Math.abs((await where(page, 'a')).y - held.y) < 1, 'where it was');
  assert.equal(await page.textContent('#when'), `${back} s`);
  await page.click('#now');
  await run(page, 20);
  assert.deepEqual(await onMap(page), ['a', 'new']);
  assert.ok(await page.isDisabled('#now'));
  await close(page);
  await server.end();
});

check('messages that are late slow its time down, and never turn it back', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server, { stopped: true });
  await page.evaluate(async () => {
    const { Fleet } = await import('./fleet.js');
    window.other = new Fleet();
  });
  const hear = (at) => page.evaluate((t) => {
    window.other.take([], t);
    return Math.round(window.other.now());
  }, at);
  assert.equal(await hear(1000000), 1000000);
  await run(page, 1000);
  assert.equal(await hear(1001000), 1001000);
  await run(page, 1000);
  assert.equal(await hear(1001500), 1001900, 'half a second late: a tenth slower');
  await run(page, 1000);
  assert.equal(await hear(1003000), 1003000, 'right again at once');
  await run(page, 100000);
  assert.equal(await hear(1102990), 1102990, 'our clock is fast');
  await run(page, 1000);
  assert.equal(await hear(1100000), 1100000, 'that is no delay');
  await close(page);
  await server.end();
});
