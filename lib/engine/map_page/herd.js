// The unicorns on the map, with their trails. All of them are painted on one sheet, so that ten thousand move smoothly.

import { Sheet } from './sheet.js';

const TRAIL_MS = 120000, TRAIL_SEGMENTS = 6000; // how far back, and how many in one picture
const STROKE = 400; // trails in one path: longer ones cost more than their parts
const NAMES_UPTO = 40; // that many in sight have their names beside them
const DOTS_FROM = 2000; // that many in sight are dots
const TURNS = 48; // pictures of a unicorn, one for each direction
const HALF = 20; // pixels of half a picture
const REACH = 14; // how near a click must be

// A body with its horn in the direction it goes; one that stands has none.
function drawBody(context, colors, { alert, chosen, turn }) {
  context.save();
  context.translate(HALF, HALF);
  if (chosen) {
    context.beginPath();
    context.arc(0, 0, 14, 0, 7);
    context.strokeStyle = colors.chosen;
    context.lineWidth = 2.5;
    context.stroke();
  }
  context.lineWidth = 1.5;
  context.strokeStyle = colors.outline;
  if (turn !== null) {
    context.save();
    context.rotate(turn);
    context.beginPath();
    context.moveTo(0, -19);
    context.lineTo(5.5, -5);
    context.lineTo(-5.5, -5);
    context.closePath();
    context.fillStyle = colors.horn;
    context.fill();
    context.stroke();
    context.restore();
  }
  context.beginPath();
  context.arc(0, 0, 8, 0, 7);
  context.fillStyle = alert ? colors.alert : colors.body;
  context.fill();
  context.stroke();
  if (alert) {
    // not by color alone
    context.fillStyle = colors.outline;
    context.fillRect(-1.1, -4.4, 2.2, 5.4);
    context.fillRect(-1.1, 2.2, 2.2, 2.2);
  }
  context.restore();
}

export class Herd {
  constructor(map, fleet, colors) {
    this.fleet = fleet;
    this.colors = colors; // () => {body, alert, horn, outline, chosen, trail, label, halo}
    this.chosen = null; // id
    this.time = 0; // what is painted
    this.shown = []; // {x, y, unicorn} in pixels of the sheet
    this.moving = false;
    this.pictures = new Map();
    this.spot = { x: 0, y: 0, heading: null, point: null, index: 0, moving: false };
    this.sheet = new Sheet((context, v) => this.paint(context, v), 'herd').addTo(map);
  }

  // Paints the fleet as it was at t.
  show(t) {
    this.time = t;
    this.sheet.paint();
  }

  recolor() {
    this.pictures.clear();
  }

  picture(alert, chosen, heading) {
    const turn = heading === null ? null : Math.round(heading / 360 * TURNS) % TURNS;
    const ratio = window.devicePixelRatio || 1, key = `${ratio} ${alert} ${chosen} ${turn}`;
    let canvas = this.pictures.get(key);
    if (!canvas) {
      canvas = document.createElement('canvas');
      canvas.width = canvas.height = 2 * HALF * ratio;
      const context = canvas.getContext('2d');
      context.scale(ratio, ratio);
      drawBody(context, this.colors(), { alert, chosen, turn: turn === null ? null : turn / TURNS * 2 * Math.PI });
      this.pictures.set(key, canvas);
    }
    return canvas;
  }

  paint(context, v) {
    const t = this.time, { fleet, spot } = this, margin = 40, seen = [];
    this.moving = false;
    for (const u of fleet.unicorns.values()) {
      if (!u.at(t, fleet.forget, spot)) continue;
      if (spot.moving) this.moving = true;
      const x = spot.x * v.world - v.left, y = spot.y * v.world - v.top;
      if (x < -margin || y < -margin || x > v.width + margin || y > v.height + margin) continue;
      seen.push({ unicorn: u, x, y, heading: spot.heading, index: spot.index, alert: fleet.isAlert(spot.point) });
    }
    // who needs to be seen is on top, and has the name there
    if (seen.length < DOTS_FROM) seen.sort((a, b) => this.rank(b) - this.rank(a));
    this.shown = seen;
    this.paintTrails(context, v, seen);
    if (seen.length < DOTS_FROM) {
      for (const s of [...seen].reverse()) {
        const picture = this.picture(s.alert, s.unicorn.id === this.chosen, s.heading);
        context.drawImage(picture, s.x - HALF, s.y - HALF, 2 * HALF, 2 * HALF);
      }
    } else {
      this.paintDots(context, seen);
    }
    if (seen.length <= NAMES_UPTO) this.paintNames(context, seen);
  }

  rank({ unicorn, alert }) {
    return unicorn.id === this.chosen ? 2 : alert ? 1 : 0;
  }

  // A crowd: squares in two colors, and whoever is chosen on top as always.
  paintDots(context, seen) {
    const colors = this.colors();
    for (const alert of [false, true]) {
      context.fillStyle = alert ? colors.alert : colors.body;
      for (const s of seen)
        if (s.alert === alert) context.fillRect(s.x - 2, s.y - 2, 4, 4);
    }
    const one = seen.find((s) => s.unicorn.id === this.chosen);
    if (one) context.drawImage(this.picture(one.alert, true, one.heading), one.x - HALF, one.y - HALF, 2 * HALF, 2 * HALF);
  }

  // The older, the paler: three steps, each one path for all.
  paintTrails(context, v, seen) {
    const each = Math.floor(TRAIL_SEGMENTS / Math.max(1, seen.length));
    const colors = this.colors();
    if (each < 1) return;
    context.lineWidth = 2;
    context.lineJoin = 'round';
    context.strokeStyle = colors.trail;
    for (let step = 0; step < 3; step++) {
      const from = this.time - TRAIL_MS * (step + 1) / 3, upto = this.time - TRAIL_MS * step / 3;
      context.globalAlpha = 0.75 - 0.22 * step;
      context.beginPath();
      let inPath = 0;
      for (const { unicorn: { history }, x, y, index } of seen) {
        if (++inPath % STROKE === 0) {
          context.stroke();
          context.beginPath();
        }
        // the last place is only on its way there
        const last = index - 1, first = Math.max(0, last - each);
        let open = false;
        if (step === 0) {
          context.moveTo(x, y);
          open = true;
        }
        for (let i = last; i >= first; i--) {
          const p = history[i];
          if (p.seen > upto && step > 0) continue;
          if (open) context.lineTo(p.x * v.world - v.left, p.y * v.world - v.top);
          else context.moveTo(p.x * v.world - v.left, p.y * v.world - v.top);
          open = true;
          if (p.seen < from) break;
        }
      }
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  paintNames(context, seen) {
    const colors = this.colors();
    context.font = '600 12px system-ui, sans-serif';
    context.lineJoin = 'round';
    context.lineWidth = 3;
    context.strokeStyle = colors.halo;
    const taken = [];
    for (const { unicorn: { name }, x, y } of seen) {
      const text = name.length > 24 ? `${name.slice(0, 23)}…` : name;
      const long = context.measureText(text).width;
      // right of it, or left where the map ends
      const at = x + 20 + long > context.canvas.clientWidth && x > long + 20 ? x - 17 - long : x + 17;
      const b = [at - 2, y - 8, at + 1 + long, y + 8];
      if (taken.some((t) => b[0] < t[2] && b[2] > t[0] && b[1] < t[3] && b[3] > t[1])) continue;
      taken.push(b);
      // a plate, for there may be a city's name
      context.fillStyle = colors.halo;
      context.globalAlpha = 0.6;
      context.fillRect(b[0], b[1], b[2] - b[0], b[3] - b[1]);
      context.globalAlpha = 1;
      context.fillStyle = colors.label;
      context.strokeText(text, at, y + 4);
      context.fillText(text, at, y + 4);
    }
  }

  // The unicorn nearest to a point of the map, null where none is near.
  nearest({ x, y }) {
    let best = null, least = REACH * REACH;
    for (const s of this.shown) {
      const d = (s.x - x) ** 2 + (s.y - y) ** 2;
      if (d < least) {
        best = s.unicorn;
        least = d;
      }
    }
    return best;
  }
}
