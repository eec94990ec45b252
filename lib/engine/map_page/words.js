// How numbers, times and places are written.

export const MPH = 3600 / 1609.344; // meters per second in miles per hour

// "30.1 m/s (67.3 mph)"; null: unknown.
export function speed(mps) {
  return mps === null ? 'unknown' : `${mps.toFixed(1)} m/s (${(mps * MPH).toFixed(1)} mph)`;
}

export function number(value) {
  return value === null ? '–' : String(value);
}

// "just now", "7 s ago", "2 min ago".
export function ago(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 2) return 'just now';
  return s < 100 ? `${s} s ago` : `${Math.round(s / 60)} min ago`;
}

// The same where there is little room: "now", "7 s", "2 min".
export function shortAgo(ms) {
  return ms < 2000 ? 'now' : ago(ms).replace(' ago', '');
}

// "40.7492° N, 73.9852° W"
export function place(latitude, longitude) {
  const one = (v, plus, minus) => `${Math.abs(v).toFixed(4)}° ${v < 0 ? minus : plus}`;
  return `${one(latitude, 'N', 'S')}, ${one(longitude, 'E', 'W')}`;
}

const winds = ['N', 'NE', 'E', 'SE', 'S', 'SW', 'W', 'NW'];

// "NE (43°)"; null: it does not move.
export function heading(degrees) {
  return degrees === null ? 'stands' : `${winds[Math.round(degrees / 45) % 8]} (${Math.round(degrees) % 360}°)`;
}

// An element with a class and plain text; text is never markup.
export function element(tag, name, text) {
  const e = document.createElement(tag);
  if (name) e.className = name;
  if (text !== undefined) e.textContent = text;
  return e;
}
