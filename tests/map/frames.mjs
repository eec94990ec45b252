// Pictures a second of the page with 10,000 names at 10,000 lines a second, as `make bench` reports it: one line on stdout.
import { browser } from './page.mjs';
import { Server, until } from './stage.mjs';

const NAMES = 10000, SECONDS = 5;
const server = await Server.start('--no-token');
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
await page.goto(server.url);
let i = 0;
const feed = setInterval(() => {
  const lines = [];
  for (let k = 0; k < NAMES / 20; k++, i++) {
    const n = i % NAMES, turn = Math.floor(i / NAMES);
    lines.push(`{"Name":"n${n}","Latitude":${40 + (n % 100) / 100 + turn / 1000},"Longitude":${-74 + n / NAMES},"HealthPoints":150,"MagicPoints":150}`);
  }
  server.send(...lines);
}, 50);
await until(() => page.evaluate((n) => window.ryde.fleet.unicorns.size === n, NAMES), 'all of them');
const pictures = await page.evaluate((seconds) => new Promise((ok) => {
  const begin = performance.now();
  let n = 0;
  const count = () => {
    n++;
    if (performance.now() - begin < seconds * 1000) requestAnimationFrame(count);
    else ok(n / seconds);
  };
  requestAnimationFrame(count);
}), SECONDS);
const behind = await page.evaluate(() => {
  const f = window.ryde.fleet, now = f.now();
  return Math.max(...[...f.unicorns.values()].map((u) => now - u.last.seen));
});
clearInterval(feed);
console.log(`${NAMES} names, ${NAMES} lines/s: ${pictures.toFixed(0)} pictures a second, oldest place ${(behind / 1000).toFixed(1)} s`);
await browser.close();
await server.kill();
