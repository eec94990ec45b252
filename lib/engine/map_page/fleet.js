// Who is where, now and in the last minutes. Times are the server's, in ms since the epoch; places are also kept as
// Mercator coordinates from 0 to 1, so that drawing needs no trigonometry.

export const KEEP_MS = 300000; // how far one can rewind
const POINTS_IN_ALL = 600000; // of all histories together
const POINTS_MOST = 1200, POINTS_LEAST = 30; // of one
const EARTH_M = 6371008.8;
const SETTLE_MS = 3000; // the longest glide from one place to the next
const LATE_MS = 2000; // what comes so late is no delay: the clocks are apart
const SLOWER = 0.1; // how much slower than it is time may go until it is right again

export function mercatorX(longitude) {
  return longitude / 360 + 0.5;
}

export function mercatorY(latitude) {
  const clipped = Math.max(-85.0511287798, Math.min(85.0511287798, latitude));
  const s = Math.sin(clipped * Math.PI / 180);
  return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
}

// Meters between two places, on a sphere (haversine).
export function meters(a, b) {
  const rad = Math.PI / 180;
  const dLat = (b.latitude - a.latitude) * rad, dLon = (b.longitude - a.longitude) * rad;
  const h = Math.sin(dLat / 2) ** 2 +
    Math.cos(a.latitude * rad) * Math.cos(b.latitude * rad) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

// Degrees from north, clockwise, of the way from a to b; both in Mercator coordinates, where a course is a straight line.
function bearing(a, b) {
  return (Math.atan2(b.x - a.x, a.y - b.y) * 180 / Math.PI + 360) % 360;
}

function point(seen, latitude, longitude, rest) {
  return { seen, latitude, longitude, x: mercatorX(longitude), y: mercatorY(latitude), ...rest };
}

class Unicorn {
  constructor(id, name) {
    this.id = id;
    this.name = name;
    this.folded = name.toLocaleLowerCase(); // what the filter looks at
    this.history = []; // points, the oldest first
    this.lines = 0;
    this.heading = null; // degrees, null until it has moved
    this.speed = null; // m/s, from successive places
    this.rate = null; // m/s, from the distance that the line states
  }

  get last() {
    return this.history[this.history.length - 1];
  }

  // Takes the entry of a line, and says whether it is news.
  take([, , latitude, longitude, distance, health, magic, time, seen, lines]) {
    const before = this.last;
    const p = point(seen, latitude, longitude, { time, distance, health, magic, speed: null, heading: null });
    if (before && seen <= before.seen) return false;
    if (before && before.magic !== undefined) {
      // the lines' own clock where they have one: a replay may run at any pace
      const dt = (time !== null && before.time !== null && time > before.time ? time - before.time : seen - before.seen) / 1000;
      this.speed = meters(before, p) / dt;
      this.rate = distance === null ? null : distance * Math.max(1, lines - this.lines) / dt;
    }
    if (before && meters(before, p) > 0.2) this.heading = bearing(before, p);
    p.speed = this.speed;
    p.heading = this.heading;
    this.lines = lines;
    this.history.push(p);
    return true;
  }

  // Where it was before this page was opened: latitude, longitude, ms before `seen`, and so on.
  remember(trail, seen) {
    for (let i = 0; i + 2 < trail.length; i += 3) {
      const p = point(seen - trail[i + 2], trail[i], trail[i + 1], { speed: null, heading: null });
      const before = this.last;
      if (p.seen >= seen || (before && p.seen <= before.seen)) continue;
      if (before && meters(before, p) > 0.2) this.heading = bearing(before, p);
      p.heading = this.heading;
      this.history.push(p);
    }
  }

  // The index of the last point at or before t, -1 if there is none.
  indexAt(t) {
    const h = this.history;
    let low = 0, high = h.length;
    if (high > 0 && h[high - 1].seen <= t) return high - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (h[middle].seen <= t) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  // Writes where it is shown at t into out {x, y, heading, point, index, moving}; false where it is not shown. A new
  // place is reached as long after it came as the one before had taken, so that movement is even.
  at(t, forget, out) {
    const h = this.history, i = this.indexAt(t);
    if (i < 0) return false;
    const p = h[i];
    if (forget > 0 && t - p.seen >= forget) return false;
    out.x = p.x;
    out.y = p.y;
    out.heading = p.heading;
    out.point = p;
    out.index = i;
    out.moving = false;
    if (i === 0) return true;
    const q = h[i - 1], took = Math.min(SETTLE_MS, p.seen - q.seen), part = (t - p.seen) / took;
    if (part < 1) {
      out.x = q.x + (p.x - q.x) * part;
      out.y = q.y + (p.y - q.y) * part;
      out.moving = true;
    }
    return true;
  }
}

export class Fleet {
  constructor() {
    this.unicorns = new Map(); // by id
    this.forget = 30000;
    this.alert = 100;
    this.ahead = null; // server's clock minus ours, which nobody can set
    this.heard = 0; // when ahead was corrected, on our clock
  }

  clear() {
    this.unicorns.clear();
    this.ahead = null;
  }

  now() {
    return performance.now() + (this.ahead ?? 0);
  }

  // Takes the server's time. A message that was delayed says less than the clock has come to: time goes slower then, never
  // back, or all would seem to move backward for a moment.
  hear(now) {
    const ours = performance.now(), ahead = now - ours;
    if (this.ahead === null || ahead >= this.ahead || ahead < this.ahead - LATE_MS) this.ahead = ahead;
    else this.ahead = Math.max(ahead, this.ahead - SLOWER * (ours - this.heard));
    this.heard = ours;
  }

  // Takes what the server sent at `now`; returns the unicorns that moved.
  take(entries, now) {
    const moved = [];
    this.hear(now);
    for (const entry of entries) {
      let u = this.unicorns.get(entry[0]);
      if (!u) {
        u = new Unicorn(entry[0], entry[1]);
        this.unicorns.set(u.id, u);
        if (entry[10]) u.remember(entry[10], entry[8]);
      }
      if (u.take(entry)) moved.push(u);
    }
    return moved;
  }

  // Drops what is too old to rewind to. Returns how many unicorns are gone for good.
  trim() {
    const oldest = this.now() - KEEP_MS;
    const most = Math.max(POINTS_LEAST, Math.min(POINTS_MOST, POINTS_IN_ALL / Math.max(1, this.unicorns.size)));
    for (const u of this.unicorns.values()) {
      let drop = 0;
      while (drop < u.history.length - 1 && u.history[drop].seen < oldest) drop++;
      drop = Math.max(drop, u.history.length - most);
      // not for each point: removing from the front moves all others
      if (drop > most / 4) u.history.splice(0, drop);
      if (this.forget > 0 && u.last.seen < oldest - this.forget) this.unicorns.delete(u.id);
    }
  }

  isLow(value) {
    return value !== null && value !== undefined && value < this.alert;
  }

  // True where health or magic of a point is an alert.
  isAlert(p) {
    return this.isLow(p.health) || this.isLow(p.magic);
  }
}
