// Who is on the map, where, and until when.
import assert from 'node:assert/strict';

import { catchUp, close, heard, lines, moving, names, now, onMap, open, run, where } from '../page.mjs';
import { check, line, passed, Server, until } from '../stage.mjs';

check('who is sent appears where it is, and has the color of the style sheet', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server);
  assert.equal(await page.textContent('#none'), 'Nobody is on the map.');
  server.send(line('Shadowfax', 40.75, -73.99), line('Rocinante', 40.74, -73.98), line('Pegasus', 40.76, -73.97));
  await until(async () => (await onMap(page)).length === 3, 'three on the map');
  await until(async () => (await names(page)).join() === 'Pegasus,Rocinante,Shadowfax', 'three in the list');
  // the map may still be on its way to them, and takes the picture along
  await until(() => page.evaluate(() => {
    const { herd, map } = window.ryde, s = herd.shown.find((one) => one.unicorn.name === 'Shadowfax');
    const want = map.latLngToContainerPoint([40.75, -73.99]);
    if (!s || Math.hypot(want.x - s.x, want.y - s.y) >= 1) return false;
    const canvas = document.querySelector('.leaflet-herd-pane canvas'), ratio = window.devicePixelRatio;
    const at = [s.x + 4, s.y].map((v) => Math.round(v * ratio));
    const [r, g, b] = canvas.getContext('2d', { willReadFrequently: true }).getImageData(...at, 1, 1).data;
    const body = getComputedStyle(document.documentElement).getPropertyValue('--map-body').trim();
    return `#${[r, g, b].map((v) => v.toString(16).padStart(2, '0')).join('')}` === body;
  }), 'its body is at its place');
  await close(page);
  await server.end();
});

check('it moves evenly to where its next line is, in the time between the two, and has a heading', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server, { stopped: true });
  await page.click('#follow'); // the map shall stand
  server.send(line('Rocinante', 40.74, -73.98));
  await until(() => lines(page, 'Rocinante'));
  const { seen } = (await heard(page)).Rocinante;
  await page.evaluate(() => window.ryde.map.setView([40.74, -73.98], 15, { animate: false }));
  await run(page, 20);
  const from = await where(page, 'Rocinante');
  await passed(1500);
  await catchUp(page);
  server.send(line('Rocinante', 40.74, -73.975, 1));
  await until(async () => (await lines(page, 'Rocinante')) === 2);
  const { seen: then, heading } = (await heard(page)).Rocinante;
  assert.ok(Math.abs(heading - 90) < 0.5, `${heading}`);
  const took = Math.min(3000, then - seen), since = (await now(page)) - then;
  assert.ok(took >= 1500, `${took}`);
  await run(page, 17);
  assert.equal(await moving(page), true);
  const places = [];
  for (let t = since + 17; t < took; t += 100) {
    places.push({ part: t / took, x: (await where(page, 'Rocinante')).x });
    await run(page, 100);
  }
  await run(page, 100);
  const to = await where(page, 'Rocinante');
  assert.equal(await moving(page), false);
  assert.ok(to.x > from.x + 100, `${from.x} to ${to.x}`);
  // what is painted is a picture, of 16 ms, older than the clock
  for (const { part, x } of places) {
    const want = from.x + (to.x - from.x) * part, picture = (to.x - from.x) * 25 / took;
    assert.ok(x > want - picture && x < want + 1, `at ${x} after ${part} of the way from ${from.x} to ${to.x}`);
  }
  await close(page);
  await server.end();
});

check('a unicorn is gone 30 seconds after its last line', async () => {
  const server = await Server.start('--no-token', '--forget', '30s');
  const page = await open(server, { stopped: true });
  server.send(line('old', 40.75, -73.98));
  await until(() => lines(page, 'old'));
  // the ages are the server's: the other one's last line must come two seconds later on its clock
  let sent = 0;
  await until(async () => {
    if (sent === (await lines(page, 'young'))) server.send(line('young', 40.751, -73.98, ++sent));
    const all = await heard(page);
    return all.young?.seen - all.old.seen >= 2000;
  }, 'young is two seconds younger');
  await until(async () => (await lines(page, 'young')) === sent, 'all lines have come');
  const left = (await heard(page)).old.seen + 30000 - (await now(page));
  assert.ok(left < 28001, `${left}`);
  if (left > 0) { // a machine that needed half a minute for this has seen it go
    await run(page, left - 2);
    assert.deepEqual(await onMap(page), ['old', 'young']);
    assert.deepEqual(await names(page), ['old', 'young']);
  }
  await run(page, 600); // the list is written twice a second
  assert.deepEqual(await onMap(page), ['young']);
  assert.deepEqual(await names(page), ['young']);
  await run(page, 30000);
  assert.deepEqual(await onMap(page), []);
  assert.deepEqual(await names(page), []);
  assert.equal(await page.textContent('#counts'), '0 on the map');
  await close(page);
  await server.end();
});
