// The card of one unicorn: a popup that moves with it.
/* global L */

import { ago, element, heading, number, place, speed } from './words.js';

export const CONTROLS = 46; // pixels at the right side of the map, where buttons are
const WIDEST = 280, AROUND = 32; // of what the card holds, and what its frame adds
const CHART_MS = 180000, CHART_LEAST_MS = 30000, CHART_WIDTH = 92, CHART_HEIGHT = 30;
const SVG = 'http://www.w3.org/2000/svg';

// The payload as text in, its members as [key, text] out: numbers stay as they are written. The server has checked it.
export function members(text) {
  const found = [];
  let at = text.indexOf('{') + 1;
  const blank = () => {
    while (' \t\r\n'.includes(text[at])) at++;
  };
  const string = () => {
    const from = at++;
    while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    return text.slice(from, ++at);
  };
  const value = () => {
    const from = at;
    let depth = 0;
    for (; at < text.length; at++) {
      const c = text[at];
      if (c === '"') {
        string();
        at--;
      } else if (c === '{' || c === '[') {
        depth++;
      } else if (depth === 0 && (c === ',' || c === '}')) {
        break;
      } else if (c === '}' || c === ']') {
        depth--;
      }
    }
    return text.slice(from, at).trim();
  };
  for (blank(); text[at] === '"'; blank()) {
    const key = JSON.parse(string());
    blank();
    at++; // the colon
    blank();
    const v = value();
    found.push([key, v[0] === '"' ? JSON.parse(v) : v]);
    if (text[at] === ',') at++;
  }
  return found;
}

// The last minutes of a value as a line, with its range in words.
class Chart {
  constructor(label) {
    this.label = label;
    this.box = element('figure', 'chart');
    this.caption = element('figcaption', '', label);
    this.svg = document.createElementNS(SVG, 'svg');
    this.svg.setAttribute('viewBox', `0 0 ${CHART_WIDTH} ${CHART_HEIGHT}`);
    this.svg.setAttribute('role', 'img');
    this.line = document.createElementNS(SVG, 'polyline');
    this.limit = document.createElementNS(SVG, 'line');
    this.limit.setAttribute('class', 'limit');
    this.limit.setAttribute('x2', CHART_WIDTH);
    this.svg.append(this.limit, this.line);
    this.box.append(this.caption, this.svg);
  }

  show(points, t, pick, alert) {
    const drawn = points.filter((p) => p.seen > t - CHART_MS && p.seen <= t && typeof pick(p) === 'number');
    this.box.hidden = drawn.length < 2;
    if (drawn.length < 2) return;
    const values = drawn.map(pick);
    let low = Math.min(...values), high = Math.max(...values);
    this.svg.setAttribute('aria-label', `${this.label}, last 3 minutes: ${low.toFixed(1)} to ${high.toFixed(1)}`);
    const short = (v) => Number(v.toFixed(high - low < 1 ? 1 : 0));
    this.caption.textContent = `${this.label}\n${short(low)}${short(low) === short(high) ? '' : `–${short(high)}`}`;
    // what hardly changes is no mountain
    if (high - low < 1) [low, high] = [(low + high - 1) / 2, (low + high + 1) / 2];
    const y = (v) => (CHART_HEIGHT - 2 - (v - low) / (high - low) * (CHART_HEIGHT - 4)).toFixed(1);
    const span = Math.max(CHART_LEAST_MS, t - drawn[0].seen);
    const x = (p) => ((p.seen - t) / span * CHART_WIDTH + CHART_WIDTH).toFixed(1);
    this.line.setAttribute('points', drawn.map((p) => `${x(p)},${y(pick(p))}`).join(' '));
    const limited = alert !== undefined && alert >= low && alert <= high;
    this.limit.setAttribute('visibility', limited ? 'visible' : 'hidden');
    if (limited) {
      this.limit.setAttribute('y1', y(alert));
      this.limit.setAttribute('y2', y(alert));
    }
  }
}

export class Card {
  // closed() is called when the user shuts it, grown() when it needs more room.
  constructor(map, fleet, { closed, grown }) {
    this.map = map;
    this.fleet = fleet;
    this.unicorn = null;
    this.labels = { name: 'Name', distance: 'Distance', health: 'Health', magic: 'Magic' };
    this.spot = {};
    this.asked = 0;
    this.grown = grown;
    this.popup = L.popup({ autoPan: false, closeOnClick: false, className: 'card', offset: [0, -8] });
    map.on('popupclose', () => {
      if (this.unicorn === null) return;
      this.unicorn = null;
      closed();
    });
    this.make();
  }

  make() {
    this.box = element('div', 'body');
    this.box.setAttribute('role', 'group');
    this.title = element('h2');
    this.gone = element('p', 'gone', 'It is not on the map any more.');
    this.facts = element('dl');
    this.charts = { speed: new Chart('Speed'), health: new Chart('Health'), magic: new Chart('Magic') };
    this.fields = element('dl', 'fields');
    const more = element('details'), charts = element('div', 'charts');
    more.append(element('summary', '', 'Latest line'), this.fields);
    charts.append(...Object.values(this.charts).map((c) => c.box));
    this.box.append(this.title, this.gone, this.facts, charts, more);
    this.more = more;
    more.addEventListener('toggle', () => this.ask());
  }

  open(unicorn, t) {
    this.unicorn = unicorn;
    this.title.textContent = unicorn.name;
    this.box.setAttribute('aria-label', unicorn.name);
    this.fields.replaceChildren();
    this.asked = 0;
    this.show(t);
    // on a small map the card scrolls, and leaves the buttons at the side free
    const size = this.map.getSize(), { options } = this.popup;
    options.maxHeight = Math.max(120, size.y - 100);
    options.maxWidth = Math.max(120, Math.min(WIDEST, size.x - 2 * CONTROLS - AROUND));
    options.minWidth = Math.min(250, options.maxWidth);
    this.popup.setContent(this.box).setLatLng([this.spot.point.latitude, this.spot.point.longitude]).openOn(this.map);
    this.move(t);
  }

  close() {
    this.map.closePopup(this.popup);
  }

  // Puts the card where its unicorn is at t; called for each picture.
  move(t) {
    const { unicorn, spot } = this;
    if (!unicorn || !unicorn.at(t, 0, spot)) return;
    const latitude = Math.atan(Math.sinh(Math.PI * (1 - 2 * spot.y))) * 180 / Math.PI;
    this.popup.setLatLng([latitude, (spot.x - 0.5) * 360]);
  }

  // Writes what is known at t; called about every second.
  show(t) {
    const u = this.unicorn, { spot, fleet, labels } = this;
    if (!u || !u.at(t, 0, spot)) return;
    const p = spot.point, gone = fleet.forget > 0 && t - p.seen >= fleet.forget;
    const low = (value) => fleet.isLow(value) ? `${value} (low, below ${fleet.alert})` : number(value ?? null);
    const facts = [
      ['Speed', speed(p.speed)],
      [`By ${labels.distance}`, speed(u.rate), u.rate === null],
      ['Heading', heading(spot.heading)],
      [labels.health, low(p.health), p.health === undefined],
      [labels.magic, low(p.magic), p.magic === undefined],
      ['Place', place(p.latitude, p.longitude)],
      ['Last seen', ago(t - p.seen)],
    ];
    this.gone.hidden = !gone;
    const list = facts.filter(([, , without]) => !without).flatMap(([name, text]) => [element('dt', '', name), element('dd', '', text)]);
    this.facts.replaceChildren(...list);
    this.charts.speed.show(u.history, t, (q) => q.speed);
    this.charts.health.show(u.history, t, (q) => q.health, fleet.alert);
    this.charts.magic.show(u.history, t, (q) => q.magic, fleet.alert);
    if (this.more.open && u.lines !== this.asked) this.ask();
  }

  // The whole latest line, as it is written.
  async ask() {
    const u = this.unicorn;
    if (!u || !this.more.open) return;
    this.asked = u.lines;
    let text = null, bytes = 0;
    try {
      const answer = await fetch(`unicorn?id=${u.id}`, { cache: 'no-store' });
      if (!answer.ok) return;
      ({ payload: text, bytes } = await answer.json());
    } catch {
      return; // the stream says what is wrong
    }
    if (u !== this.unicorn) return;
    const pairs = text === null ? [['Line', `${bytes} bytes: too long to be kept`]] : members(text);
    const first = this.fields.childElementCount === 0;
    this.fields.replaceChildren(...pairs.flatMap(([key, value]) => [element('dt', '', key), element('dd', '', value)]));
    if (first) this.grown();
  }
}
