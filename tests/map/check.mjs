// The page of ryde-map, driven in a browser: what a user sees, does, and must be safe from. checks/ has them by subject.
import { checks, Server } from './stage.mjs';

let browser;
try {
  ({ browser } = await import('./page.mjs'));
} catch (e) {
  console.log(`no browser, so nothing is checked: ${e.message}\nmap: 0 passed, 1 failed`);
  process.exit(1);
}
for (const subject of ['safety', 'movement', 'card', 'list', 'stream', 'time', 'hand', 'look']) await import(`./checks/${subject}.mjs`);

const word = process.argv[2] ?? '';
let passed = 0, failed = 0;
for (const { name, run } of checks) {
  if (!name.includes(word)) continue;
  const begin = performance.now();
  try {
    await run();
    passed++;
    console.log(`ok: ${name} (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
  } catch (e) {
    failed++;
    console.log(`not ok: ${name}\n${e.stack}`);
    for (const c of browser.contexts()) await c.close();
    for (const s of Server.all) await s.kill();
  }
}
await browser.close();
console.log(`map: ${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
