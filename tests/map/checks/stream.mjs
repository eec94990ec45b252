// What the page hears of the server, together with others and after breaks.
import assert from 'node:assert/strict';
import path from 'node:path';

import { close, heard, names, open, showed, status } from '../page.mjs';
import { check, line, passed, scratch, Server, until } from '../stage.mjs';

check('two browsers see the same, and one that comes later sees the trails', async () => {
  const server = await Server.start('--no-token');
  const first = await open(server), second = await open(server, { colorScheme: 'dark' });
  const places = (page) => page.evaluate(() => [...window.ryde.fleet.unicorns.values()].map((u) => [u.id, u.name, u.last.latitude, u.last.longitude, u.lines]).sort());
  const has = (page, n) => until(async () => {
    const { a, b } = await heard(page);
    return a?.lines === n && b?.lines === n;
  }, `line ${n} of each`);
  for (let i = 0; i < 3; i++) {
    server.send(line('a', 40.75 + i / 1000, -73.98, i), line('b', 40.76, -73.97 - i / 1000, i));
    for (const page of [first, second]) await has(page, i + 1);
    await passed(950); // trails have a place about each second
  }
  assert.deepEqual(await places(first), await places(second));
  const late = await open(server);
  await has(late, 3);
  assert.deepEqual(await places(late), await places(first));
  const history = await late.evaluate(() => [...window.ryde.fleet.unicorns.values()].find((u) => u.name === 'a').history.map((p) => p.latitude));
  assert.deepEqual(history, [40.75, 40.751, 40.752]);
  for (const page of [first, second, late]) await close(page);
  await server.end();
});

check('it finds its way back after a restart, and says what is wrong meanwhile', async () => {
  const token = path.join(scratch, 'token');
  const server = await Server.startToReturn('--token-file', token);
  const page = await open(server);
  server.send(line('before', 40.75, -73.98));
  await until(async () => (await names(page)).length === 1);
  await server.kill();
  await showed(page, 'lost');
  const again = await Server.start('--token-file', token, '--listen', `127.0.0.1:${server.port}`);
  again.send(line('after', 40.75, -73.98));
  await until(async () => (await names(page)).join() === 'after', 'the new run alone');
  await status(page, 'live');
  await again.end();
  await showed(page, 'ended');
  // another token: the page says so and does not give up
  const stranger = await Server.start('--listen', `127.0.0.1:${server.port}`);
  await showed(page, 'refused');
  await stranger.end();
  // the browser's own words on what broke
  page.complaints = page.complaints.filter((c) => !/net::ERR_|401/.test(c));
  await close(page);
});
