// Puts the page together: the map, the fleet on it, the list, the card and the controls.
/* global L */

import { Card, CONTROLS } from './card.js';
import { Fleet } from './fleet.js';
import { Ground } from './ground.js';
import { Herd } from './herd.js';
import { List } from './list.js';
import { connect } from './live.js';

const START = { center: [30, -40], zoom: 3 }; // the world, until somebody is on the map
const CLOSEST = 16; // as near as following goes
const LIST_MS = 500, CROWD = 2000, CROWD_MS = 3000, TRIM_MS = 5000, FOLLOW_MS = 1000, NEWS_MS = 5000;

const $ = (id) => document.getElementById(id);

// ---- colors ----

let palette = null;

// Those of the style sheet, by their names there without --map-.
function colors() {
  if (!palette) {
    const style = getComputedStyle(document.documentElement);
    const names = ['sea', 'land', 'coast', 'border', 'state', 'county', 'label', 'halo', 'grid', 'body', 'alert', 'horn',
      'outline', 'chosen', 'trail'];
    palette = Object.fromEntries(names.map((n) => [n, style.getPropertyValue(`--map-${n}`).trim()]));
  }
  return palette;
}

// ---- the map ----

const still = window.matchMedia('(prefers-reduced-motion: reduce)');
const map = L.map('map', { ...START, worldCopyJump: true, minZoom: 2, maxZoom: 19, zoomControl: false, preferCanvas: true,
  zoomAnimation: !still.matches, fadeAnimation: false });
map.attributionControl.setPrefix('Leaflet');
L.control.zoom({ position: 'topright' }).addTo(map);
L.control.scale({ position: 'bottomleft' }).addTo(map);
for (const [name, order] of [['labels', 300], ['herd', 450]]) {
  map.createPane(name).style.zIndex = order;
  map.getPane(name).style.pointerEvents = 'none';
}

const fleet = new Fleet();
const ground = new Ground(map, colors);
const herd = new Herd(map, fleet, colors);
const list = new List(fleet, choose);
const card = new Card(map, fleet, {
  closed() {
    herd.chosen = null;
    paint();
  },
  grown: makeRoom,
});

let scheduled = false; // a picture is due
let life = null; // of the program that we hear
let labels = { health: 'Health', magic: 'Magic' };

// ---- time: live, paused, or some seconds behind ----

let pausedAt = null, behind = 0;

const viewTime = () => pausedAt ?? fleet.now() - behind;

function showTime() {
  const back = Math.min(0, Math.round((viewTime() - fleet.now()) / 1000));
  $('back').value = back;
  $('when').textContent = back === 0 ? 'now' : `${back} s`;
  $('now').disabled = pausedAt === null && behind === 0;
  $('pause').textContent = pausedAt === null ? 'Pause' : 'Resume';
  $('pause').setAttribute('aria-pressed', pausedAt !== null);
  document.body.classList.toggle('past', pausedAt !== null || behind > 0);
}

$('pause').addEventListener('click', () => {
  if (pausedAt === null) {
    pausedAt = viewTime();
  } else {
    behind = fleet.now() - pausedAt;
    pausedAt = null;
  }
  showTime();
});
$('back').addEventListener('input', () => {
  const at = fleet.now() + Number($('back').value) * 1000;
  if (pausedAt !== null) pausedAt = at;
  else behind = fleet.now() - at;
  paint();
  showTime();
  refresh();
});
$('now').addEventListener('click', () => {
  pausedAt = null;
  behind = 0;
  paint();
  showTime();
  refresh();
});

// ---- following: until the user moves the map ----

let following = true;

function follow(on) {
  following = on;
  $('follow').setAttribute('aria-pressed', on);
  if (on) keepInSight(true);
}

function unfollow() {
  if (following) follow(false);
}

$('follow').addEventListener('click', () => follow(!following));
map.on('dragstart', unfollow);
for (const event of ['wheel', 'dblclick']) $('map').addEventListener(event, unfollow, { passive: true });
$('map').addEventListener('keydown', (e) => {
  if (e.target === $('map') && (e.key.startsWith('Arrow') || '+-='.includes(e.key))) unfollow();
});
$('map').addEventListener('touchstart', (e) => {
  if (e.touches.length > 1) unfollow();
}, { passive: true });
for (const button of document.querySelectorAll('.leaflet-control-zoom a')) button.addEventListener('click', unfollow);

// The box of all that are shown, null where nobody is.
function fleetBounds() {
  const spot = {}, t = viewTime();
  let bounds = null;
  for (const u of fleet.unicorns.values()) {
    if (!u.at(t, fleet.forget, spot)) continue;
    const at = [spot.point.latitude, spot.point.longitude];
    if (bounds) bounds.extend(at);
    else bounds = L.latLngBounds(at, at);
  }
  return bounds;
}

function keepInSight(now) {
  if (!following) return;
  if (card.unicorn) {
    makeRoom();
    return;
  }
  const bounds = fleetBounds();
  if (!bounds) return;
  // not for each step: only when it leaves the middle, or has become small in it
  const zoom = Math.min(CLOSEST, map.getBoundsZoom(bounds.pad(0.3)));
  if (now || !map.getBounds().pad(-0.1).contains(bounds) || zoom >= map.getZoom() + 2)
    map.fitBounds(bounds.pad(0.3), { maxZoom: CLOSEST, animate: !now });
}

// ---- choosing ----

// Moves the map so that the card, above its unicorn, is all in sight, and not under the buttons.
function makeRoom() {
  const { x, y } = map.latLngToContainerPoint(card.popup.getLatLng()), size = map.getSize();
  const { offsetHeight = 270, offsetWidth = 300 } = card.popup.getElement() ?? {}, high = offsetHeight + 30;
  if (x < offsetWidth / 2 || x > size.x - CONTROLS - offsetWidth / 2 || y < high || y > size.y - 30)
    map.panBy([x - size.x / 2, y - Math.min(size.y - 40, Math.max(high, size.y * 0.7))]);
}

function choose(id) {
  const u = fleet.unicorns.get(id);
  if (!u) return;
  if (card.unicorn === u) {
    card.close();
    return;
  }
  herd.chosen = id;
  card.open(u, viewTime());
  makeRoom();
  paint();
  list.show(viewTime(), id);
}

map.on('click', (e) => {
  const u = herd.nearest(e.containerPoint);
  if (u && card.unicorn !== u) choose(u.id);
  else if (!u) card.close();
});
map.on('mousemove', (e) => {
  $('map').classList.toggle('over', herd.nearest(e.containerPoint) !== null);
});
$('map').addEventListener('keydown', (e) => {
  if (e.key === 'Escape') card.close();
});

// ---- news for those who listen ----

const low = new Map(); // id -> what was low at its last line
const untold = new Set(); // unicorns that fell below the limit since the last news
let toldAt = -NEWS_MS;

function watchAlerts(moved) {
  for (const u of moved) {
    const p = u.last, now = (fleet.isLow(p.health) ? 1 : 0) | (fleet.isLow(p.magic) ? 2 : 0);
    if (now & ~(low.get(u.id) ?? 0)) untold.add(u);
    if (now) low.set(u.id, now);
    else low.delete(u.id);
  }
  tellAlerts();
}

// Says now and then which unicorns fell below the limit and still are; a few by name, many as a number.
function tellAlerts() {
  if (untold.size === 0 || performance.now() - toldAt < NEWS_MS) return;
  const fallen = [...untold].filter((u) => fleet.isAlert(u.last));
  untold.clear();
  if (fallen.length === 0) return;
  toldAt = performance.now();
  const one = (u) => {
    const p = u.last, what = [];
    if (fleet.isLow(p.health)) what.push(`${labels.health} ${p.health}`);
    if (fleet.isLow(p.magic)) what.push(`${labels.magic} ${p.magic}`);
    return `${u.name}: ${what.join(', ')}, below ${fleet.alert}`;
  };
  const line = document.createElement('span');
  line.textContent = fallen.length <= 3 ? `${fallen.map(one).join('. ')}. ` : `${fallen.length} unicorns are below ${fleet.alert}. `;
  $('news').append(line);
  while ($('news').childElementCount > 20) $('news').firstElementChild.remove();
}

// ---- the loop ----

// The list, the card and the counts; not for each picture.
function refresh() {
  const t = viewTime();
  const { all, alerts } = list.show(t, herd.chosen);
  $('counts').textContent = `${all} on the map${alerts ? `, ${alerts} low` : ''}`;
  card.show(t);
  showTime();
}

// Pictures are painted while something moves, and else when something changed.
function paint() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    const t = viewTime();
    scheduled = false;
    herd.show(t);
    card.move(t);
    if (herd.moving && pausedAt === null) paint();
  });
}

map.on('move', () => {
  herd.show(viewTime());
});
let refreshed = 0;
setInterval(() => {
  paint();
  tellAlerts();
  // a crowd's list is long to sort
  if (fleet.unicorns.size > CROWD && performance.now() - refreshed < CROWD_MS) return;
  refreshed = performance.now();
  refresh();
}, LIST_MS);
setInterval(() => fleet.trim(), TRIM_MS);
setInterval(() => keepInSight(false), FOLLOW_MS);

connect({
  state(name, text) {
    $('status').dataset.state = name;
    $('status').textContent = text;
  },
  hello(settings) {
    if (life !== settings.life) {
      card.close();
      fleet.clear();
      low.clear();
      untold.clear();
    }
    life = settings.life;
    fleet.forget = settings.forget;
    fleet.alert = settings.alert;
    labels = settings;
    card.labels = settings;
    if (settings.tiles) ground.useTiles(settings.tiles);
    ground.want(); // what a break of the connection cut off
  },
  changes(entries, now) {
    const first = fleet.unicorns.size === 0;
    watchAlerts(fleet.take(entries, now));
    paint();
    if (first) {
      refresh();
      keepInSight(true);
    }
  },
});

// ---- theme and list ----

const themes = ['auto', 'light', 'dark'];

function setTheme(name) {
  if (name === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  $('theme').textContent = `Theme: ${name}`;
  $('theme').dataset.theme = name;
  palette = null;
  herd.recolor();
  ground.recolor();
  paint();
}

$('theme').addEventListener('click', () => {
  const next = themes[(themes.indexOf($('theme').dataset.theme) + 1) % themes.length];
  localStorage.setItem('theme', next);
  setTheme(next);
});
window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => setTheme($('theme').dataset.theme));
const stored = localStorage.getItem('theme');
setTheme(themes.includes(stored) ? stored : 'auto');

$('fold').addEventListener('click', () => {
  const open = document.body.classList.toggle('folded') === false;
  $('fold').setAttribute('aria-expanded', open);
  map.invalidateSize();
});

// what tests and the curious may look at; nothing of the page depends on it
window.ryde = { fleet, ground, herd, map };
refresh();
paint();
