// Takes the pictures of README.md from a host with the demo feed that has run for a few minutes:
//   PASSWORD=… npm run screenshots -- http://127.0.0.1:8080
import { mkdir } from 'node:fs/promises';
import { chromium } from 'playwright-core';

const base = process.argv[2] ?? 'http://127.0.0.1:8080';
const folder = new URL('../screenshots/', import.meta.url);
await mkdir(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
const page = await context.newPage();

async function shot(name, path, ...steps) {
  await page.goto(base + path);
  await page.waitForTimeout(2500);
  for (const step of steps) {
    await step();
    await page.waitForTimeout(1200);
  }
  await page.screenshot({ path: new URL(`${name}.png`, folder).pathname });
}
const press = (keys) => () => page.keyboard.press(keys);
const theme = (value) => page.evaluate((v) => localStorage.setItem('mantine-color-scheme-value', v), value);

await page.goto(base);
await page.fill('input[autocomplete=username]', 'admin');
await page.fill('input[autocomplete=current-password]', process.env.PASSWORD ?? '');
await page.click('button[type=submit]');
await page.waitForURL((u) => !u.pathname.startsWith('/sign-in'));
await theme('dark');

await shot('queue', '/queue');
const guessed = page.getByRole('row').filter({ hasText: 'logged in after' }).first();
await shot('incident', '/queue', () => guessed.click(), press('Enter'));
await shot('search', '/search?q=event.outcome%3A%3Dfailure');
await shot('event', '/search?q=event.dataset%3A%3Dfortinet_fortigate.log', () => page.getByRole('row').nth(3).click(), press('Enter'));
await shot('parser', '/modules/new', () => page.getByRole('textbox').first().fill([
  'gate4 door D11 opened by badge 00411 user=klarsen from 10.4.0.1 at 2026-11-22 06:20:11',
  'gate3 door D12 opened by badge 00412 user=mhansen from 10.4.0.2 at 2026-11-22 06:20:12'].join('\n')));
await theme('light');
await shot('dashboard', '/dashboards');
await browser.close();
