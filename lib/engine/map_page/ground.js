// The ground: land, borders and place names from the files beside this one (TopoJSON of Natural Earth and the US Census,
// cities of GeoNames), a graticule and a scale; or tiles of a server. A file that is null was not there when the program
// was built: then the graticule is the map.
/* global L */

import { mercatorX, mercatorY } from './fleet.js';
import { Sheet } from './sheet.js';

const LEVELS = [
  { from: 0, file: 'world-110m.json' },
  { from: 4, file: 'world-50m.json' },
  { from: 7, file: 'world-10m.json' },
];
const STATES = { from: 4, file: 'states.json' };
const COUNTIES = { from: 9, file: 'counties.json' };
const CITIES = [{ from: 0, file: 'cities-large.json' }, { from: 7, file: 'cities.json' }];

// ---- TopoJSON: arcs as Mercator coordinates, each with the box around it ----

function box(xy) {
  const b = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < xy.length; i += 2) {
    b[0] = Math.min(b[0], xy[i]);
    b[1] = Math.min(b[1], xy[i + 1]);
    b[2] = Math.max(b[2], xy[i]);
    b[3] = Math.max(b[3], xy[i + 1]);
  }
  return b;
}

function around(boxes) {
  return boxes.reduce((a, b) => [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])]);
}

// The arcs of a ring in one piece. One that crosses the date line goes on beyond it; one around the pole is led there.
function join(ring, lines) {
  const xy = [];
  for (const n of ring) {
    const arc = lines[n < 0 ? ~n : n].xy, count = arc.length / 2;
    const from = n < 0 ? count - 1 : 0;
    const shift = xy.length ? Math.round(xy[xy.length - 2] - arc[2 * from]) : 0;
    for (let k = xy.length ? 1 : 0; k < count; k++) {
      const i = n < 0 ? count - 1 - k : k;
      xy.push(arc[2 * i] + shift, arc[2 * i + 1]);
    }
  }
  if (Math.abs(xy[xy.length - 2] - xy[0]) > 0.5) xy.push(xy[xy.length - 2], 1, xy[0], 1);
  return new Float64Array(xy);
}

function decode({ arcs, transform: { scale, translate }, objects }, name) {
  const lines = arcs.map((arc) => {
    const xy = new Float64Array(arc.length * 2);
    let a = 0, b = 0;
    arc.forEach(([dx, dy], i) => {
      a += dx;
      b += dy;
      const x = mercatorX(a * scale[0] + translate[0]);
      xy[2 * i] = i > 0 ? x + Math.round(xy[2 * i - 2] - x) : x;
      xy[2 * i + 1] = mercatorY(b * scale[1] + translate[1]);
    });
    return { xy, box: box(xy), uses: 0 };
  });
  const polygons = [];
  for (const geometry of objects[name].geometries) {
    const parts = geometry.type === 'Polygon' ? [geometry.arcs] : geometry.type === 'MultiPolygon' ? geometry.arcs : [];
    for (const part of parts) {
      part.flat().forEach((n) => lines[n < 0 ? ~n : n].uses++);
      const rings = part.map((ring) => join(ring, lines));
      polygons.push({ rings, box: around(rings.map(box)) });
    }
  }
  return { lines, polygons };
}

// ---- drawing a topology into a view ----

function misses(b, v) {
  return b[2] < v.box[0] || b[0] > v.box[2] || b[3] < v.box[1] || b[1] > v.box[3];
}

// On which sides of the view a place lies beyond it.
function side(x, y, v) {
  return (x < v.box[0] ? 1 : x > v.box[2] ? 2 : 0) | (y < v.box[1] ? 4 : y > v.box[3] ? 8 : 0);
}

// The view itself, and as it lies in the worlds to the west and east of ours.
function worlds(v) {
  return [0, -1, 1].map((k) => ({ ...v, left: v.left - k * v.world, box: [v.box[0] - k, v.box[1], v.box[2] - k, v.box[3]] }));
}

// Adds a line to the path. Of places in a row that lie beyond the same side only the ends are needed.
function trace(context, xy, v) {
  const n = xy.length / 2;
  let before = 15, skipped = -1;
  const to = (i) => context.lineTo(xy[2 * i] * v.world - v.left, xy[2 * i + 1] * v.world - v.top);
  for (let i = 0; i < n; i++) {
    const beyond = side(xy[2 * i], xy[2 * i + 1], v);
    if (i === 0) {
      context.moveTo(xy[0] * v.world - v.left, xy[1] * v.world - v.top);
    } else if ((beyond & before) !== 0 && i < n - 1) {
      skipped = i;
      before &= beyond;
      continue;
    } else {
      if (skipped >= 0) to(skipped);
      to(i);
    }
    skipped = -1;
    before = beyond;
  }
}

function fill(context, topology, v, colors) {
  context.beginPath();
  for (const w of worlds(v)) {
    for (const { rings, box: b } of topology.polygons) {
      if (misses(b, w)) continue;
      for (const ring of rings) {
        trace(context, ring, w);
        context.closePath();
      }
    }
  }
  context.fillStyle = colors.land;
  context.fill('evenodd');
  // neighbors would show the sea between them
  context.strokeStyle = colors.land;
  context.lineWidth = 0.8;
  context.stroke();
}

function stroke(context, topology, v, wanted, color, width) {
  context.beginPath();
  for (const w of worlds(v))
    for (const line of topology.lines)
      if (wanted(line.uses) && !misses(line.box, w)) trace(context, line.xy, w);
  context.strokeStyle = color;
  context.lineWidth = width;
  context.stroke();
}

// ---- the ground ----

export class Ground {
  // credits(html) is told whose data are shown.
  constructor(map, colors) {
    this.map = map;
    this.colors = colors; // () => {sea, land, coast, border, state, county, label, halo, grid}
    this.files = new Map(); // name -> decoded, null while it loads or where there is none
    this.cities = [];
    this.tiles = null;
    this.ground = L.gridLayer({ attribution: 'Natural Earth, US Census', maxZoom: 19, keepBuffer: 1, updateWhenZooming: false });
    this.ground.createTile = (coords) => this.tile(coords);
    this.ground.addTo(map);
    this.labels = new Sheet((context, v) => this.paintLabels(context, v), 'labels').addTo(map);
    map.on('move', () => this.labels.paint());
    map.on('zoomend moveend', () => this.want());
    this.want();
  }

  // Streets in place of the ground: {url, attribution}.
  useTiles({ url, attribution }) {
    if (this.tiles) return;
    const text = document.createElement('span');
    text.textContent = attribution; // never markup
    this.tiles = L.tileLayer(url, { attribution: text.innerHTML, maxZoom: 19 });
    this.map.removeLayer(this.ground);
    this.tiles.addTo(this.map);
    this.labels.paint();
  }

  recolor() {
    if (!this.tiles) this.ground.redraw();
    this.labels.paint();
  }

  // Loads what this zoom shows and is not there yet.
  want() {
    const zoom = this.map.getZoom();
    if (this.tiles) return;
    this.load(LEVELS.filter((l) => l.from <= zoom).pop().file, (t) => decode(t, 'countries'));
    this.load(LEVELS[0].file, (t) => decode(t, 'countries'));
    if (STATES.from <= zoom) this.load(STATES.file, (t) => decode(t, 'states'));
    if (COUNTIES.from <= zoom) this.load(COUNTIES.file, (t) => decode(t, 'counties'));
    for (const c of CITIES) if (c.from <= zoom) this.load(c.file, (list) => this.takeCities(list));
  }

  async load(file, decoder) {
    if (this.files.has(file)) return;
    this.files.set(file, null);
    try {
      const data = await (await fetch(file)).json();
      if (data === null) return;
      this.files.set(file, decoder(data));
    } catch {
      this.files.delete(file); // another move asks again
      return;
    }
    this.recolor();
  }

  takeCities(list) {
    this.cities = list.map(([name, latitude, longitude, people]) =>
      ({ name, x: mercatorX(longitude), y: mercatorY(latitude), people }));
    if (!this.credited) this.map.attributionControl.addAttribution('GeoNames (CC BY)');
    this.credited = true;
    return list;
  }

  // The most detailed world that is there and fits the zoom.
  world(zoom) {
    for (let i = LEVELS.length - 1; i >= 0; i--) {
      const topology = LEVELS[i].from <= zoom && this.files.get(LEVELS[i].file);
      if (topology) return topology;
    }
    return null;
  }

  tile({ x, y, z }) {
    const tile = document.createElement('canvas'), size = 256, ratio = window.devicePixelRatio || 1;
    tile.width = tile.height = size * ratio;
    const context = tile.getContext('2d'), colors = this.colors(), n = 2 ** z, margin = 2 / (size * n);
    context.scale(ratio, ratio);
    context.fillStyle = colors.sea;
    context.fillRect(0, 0, size, size);
    const v = { world: size * n, left: x * size, top: y * size,
      box: [x / n - margin, y / n - margin, (x + 1) / n + margin, (y + 1) / n + margin] };
    context.lineJoin = 'round';
    const world = this.world(z);
    if (!world) return tile;
    fill(context, world, v, colors);
    const counties = z >= COUNTIES.from && this.files.get(COUNTIES.file);
    if (counties) stroke(context, counties, v, (uses) => uses > 1, colors.county, 1);
    const states = z >= STATES.from && this.files.get(STATES.file);
    if (states) stroke(context, states, v, (uses) => uses > 1, colors.state, 1);
    stroke(context, world, v, (uses) => uses > 1, colors.border, 1.2);
    stroke(context, world, v, (uses) => uses === 1, colors.coast, 1);
    return tile;
  }

  paintLabels(context, v) {
    if (this.tiles) return;
    const colors = this.colors();
    paintGrid(context, v, colors);
    paintCities(context, v, colors, this.cities);
  }
}

// ---- graticule ----

const STEPS = [30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];

function degrees(value, step, plus, minus) {
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  const letter = value === 0 ? '' : value > 0 ? plus : minus;
  return `${Math.abs(value).toFixed(step < 1 ? digits : 0)}°${letter}`;
}

function paintGrid(context, v, colors) {
  const toLatitude = (y) => Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180 / Math.PI;
  const perDegree = v.world / 360;
  const step = STEPS.filter((s) => s * perDegree >= 90).pop() ?? 30;
  const west = (v.left / v.world - 0.5) * 360, east = ((v.left + v.width) / v.world - 0.5) * 360;
  const north = Math.min(85, toLatitude(Math.max(0, v.top / v.world)));
  const south = Math.max(-85, toLatitude(Math.min(1, (v.top + v.height) / v.world)));
  context.strokeStyle = colors.grid;
  context.fillStyle = colors.label;
  context.lineWidth = 1;
  context.font = '11px system-ui, sans-serif';
  context.globalAlpha = 0.9;
  context.beginPath();
  for (let k = Math.ceil(west / step); k * step <= east; k++) {
    const x = Math.round((k * step / 360 + 0.5) * v.world - v.left) + 0.5;
    context.moveTo(x, 0);
    context.lineTo(x, v.height);
    const text = degrees((((k * step + 180) % 360) + 360) % 360 - 180, step, 'E', 'W');
    if (x + 3 + context.measureText(text).width <= v.width) context.fillText(text, x + 3, 12);
  }
  for (let k = Math.ceil(south / step); k * step <= north; k++) {
    const y = Math.round(mercatorY(k * step) * v.world - v.top) + 0.5;
    context.moveTo(0, y);
    context.lineTo(v.width, y);
    // not where the meridians have theirs, nor under the scale
    if (y > 30 && y < v.height - 40) context.fillText(degrees(k * step, step, 'N', 'S'), 4, y - 3);
  }
  context.stroke();
  context.globalAlpha = 1;
}

// ---- cities ----

const NAMES_MOST = 60;

// The largest first; a name that would lie on another one is left out.
function paintCities(context, v, colors, cities) {
  const taken = [], least = v.zoom < 4 ? 3e6 : v.zoom < 6 ? 6e5 : v.zoom < 8 ? 1e5 : 0;
  let drawn = 0;
  context.font = '12px system-ui, sans-serif';
  context.lineJoin = 'round';
  context.textBaseline = 'middle';
  for (const { name, x, y, people } of cities) {
    if (people < least || drawn === NAMES_MOST) break;
    const px = x * v.world - v.left, py = y * v.world - v.top;
    if (px < 0 || py < 0 || px > v.width || py > v.height) continue;
    const b = [px - 4, py - 9, px + 9 + context.measureText(name).width, py + 9];
    if (taken.some((t) => b[0] < t[2] && b[2] > t[0] && b[1] < t[3] && b[3] > t[1])) continue;
    taken.push(b);
    drawn++;
    context.fillStyle = colors.label;
    context.beginPath();
    context.arc(px, py, 2, 0, 7);
    context.fill();
    context.strokeStyle = colors.halo;
    context.lineWidth = 3;
    context.strokeText(name, px + 6, py);
    context.fillText(name, px + 6, py);
  }
  context.textBaseline = 'alphabetic';
}
