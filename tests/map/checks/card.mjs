// The card of one unicorn.
import assert from 'node:assert/strict';

import { card, close, fields, lines, onMap, open, settled, where } from '../page.mjs';
import { check, line, Server, until } from '../stage.mjs';

check('the card has the right values, and the whole line as it is written', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server);
  server.send(line('Shadowfax', 40.75, -73.98));
  await until(async () => (await onMap(page)).length === 1);
  // 0.00027 degrees of latitude are 30.02 m on a sphere of 6371.0088 km; two seconds later, two lines
  server.send(line('Shadowfax', 40.750135, -73.98, 1));
  await until(async () => (await lines(page, 'Shadowfax')) === 2);
  server.send('{"Name":"Shadowfax","StatusTime":"2026-11-23 14:00:02.000","Latitude":40.750405,"Longitude":-73.98,"Distance":30.2,' +
    '"HealthPoints":151,"MagicPoints":99.5,"Big":12345678901234567890,"Text":"<b>\\u00fc</b>","List":[1,{"a":"}"}],"None":null}');
  await until(async () => (await lines(page, 'Shadowfax')) === 3);
  await page.click('#follow'); // the map shall stand
  await settled(page);
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
  assert.match(facts['Last seen'], /^just now$|^\d+ s ago$|^\d+ min ago$/);
  await page.waitForSelector('.card .chart svg[aria-label^="Health, last 3 minutes: 150.0 to 151.0"]');
  await page.click('.card summary');
  await page.waitForSelector('.card .fields dt');
  const written = await fields(page);
  await until(() => page.evaluate(() => {
    const all = document.querySelector('#map').getBoundingClientRect(), one = document.querySelector('.leaflet-popup').getBoundingClientRect();
    return one.top >= all.top && one.bottom <= all.bottom && one.left >= all.left && one.right <= all.right;
  }), 'it is in sight with all fields');
  assert.equal(written.Big, '12345678901234567890');
  assert.equal(written.Text, '<b>ü</b>');
  assert.equal(written.List, '[1,{"a":"}"}]');
  assert.equal(written.None, 'null');
  await close(page);
  await server.end();
});

check('the card goes with its unicorn', async () => {
  const server = await Server.start('--no-token');
  const page = await open(server);
  server.send(line('Shadowfax', 40.75, -73.98));
  await page.click('button.name');
  await page.waitForSelector('.card h2');
  await page.click('#follow'); // the map shall stand
  // how the tip of the card lies to its unicorn, and where that is
  const apart = () => page.evaluate(() => {
    const s = window.ryde.herd.shown[0], map = document.getElementById('map').getBoundingClientRect();
    const tip = document.querySelector('.leaflet-popup').getBoundingClientRect();
    return { x: tip.x + tip.width / 2 - map.x - s.x, y: tip.bottom - map.y - s.y, at: s.y };
  });
  await settled(page);
  const before = await apart();
  assert.ok(Math.abs(before.x) < 2 && Math.abs(before.y) < 40, JSON.stringify(before));
  server.send(line('Shadowfax', 40.7502, -73.98, 1));
  await until(async () => (await lines(page, 'Shadowfax')) === 2);
  await until(async () => (await apart()).at < before.at - 5, 'it moves north');
  await settled(page);
  const after = await apart();
  assert.ok(Math.abs(after.x - before.x) < 2 && Math.abs(after.y - before.y) < 2, JSON.stringify([before, after]));
  await close(page);
  await server.end();
});
