// The list beside the map: everybody as text, sortable and filterable, alerts marked.

import { element, number, shortAgo, speed } from './words.js';

const ROWS = 200;

const collator = new Intl.Collator(undefined, { numeric: true });

const by = {
  name: (a, b) => collator.compare(a.unicorn.name, b.unicorn.name),
  speed: (a, b) => (a.unicorn.speed ?? -1) - (b.unicorn.speed ?? -1),
  health: (a, b) => (a.point.health ?? Infinity) - (b.point.health ?? Infinity),
  magic: (a, b) => (a.point.magic ?? Infinity) - (b.point.magic ?? Infinity),
  seen: (a, b) => b.point.seen - a.point.seen,
};

export class List {
  // choose(id) is called for a row that is picked.
  constructor(fleet, choose) {
    this.fleet = fleet;
    this.choose = choose;
    this.sort = 'name';
    this.down = false;
    this.most = ROWS;
    this.rows = new Map(); // id -> {unicorn, row, cells, button}
    this.body = document.querySelector('#list tbody');
    this.filter = document.getElementById('filter');
    this.only = document.getElementById('only');
    this.more = document.getElementById('more');
    this.none = document.getElementById('none');
    for (const head of document.querySelectorAll('#list th'))
      head.firstElementChild.addEventListener('click', () => this.sortBy(head.dataset.sort));
    document.getElementById('filters').addEventListener('submit', (e) => e.preventDefault());
    this.filter.addEventListener('input', () => this.again());
    this.only.addEventListener('change', () => this.again());
    this.more.addEventListener('click', () => {
      this.most += ROWS;
      this.again();
    });
    this.markHeads();
  }

  sortBy(column) {
    this.down = this.sort === column ? !this.down : false;
    this.sort = column;
    this.markHeads();
    this.again();
  }

  markHeads() {
    for (const head of document.querySelectorAll('#list th')) {
      if (head.dataset.sort === this.sort) head.setAttribute('aria-sort', this.down ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    }
  }

  again() {
    if (this.time !== undefined) this.show(this.time, this.chosen);
  }

  // Shows the fleet as it was at t. Returns {all, alerts}: unicorns.
  show(t, chosen) {
    const { fleet } = this, word = this.filter.value.trim().toLocaleLowerCase(), spot = {}, found = [];
    let all = 0, alerts = 0;
    this.time = t;
    this.chosen = chosen;
    for (const unicorn of fleet.unicorns.values()) {
      if (!unicorn.at(t, fleet.forget, spot)) continue;
      const alert = fleet.isAlert(spot.point);
      all++;
      if (alert) alerts++;
      if ((this.only.checked && !alert) || !unicorn.folded.includes(word)) continue;
      found.push({ unicorn, point: spot.point, alert });
    }
    found.sort((a, b) => (this.down ? -1 : 1) * by[this.sort](a, b) || a.unicorn.id - b.unicorn.id);
    this.fill(found.slice(0, this.most), t);
    this.more.hidden = found.length <= this.most;
    this.more.textContent = `Show more (${found.length - this.most} are not listed)`;
    this.none.hidden = found.length > 0;
    this.none.textContent = all === 0 ? 'Nobody is on the map.' : 'Nobody fits the filter.';
    document.getElementById('alerts').textContent = alerts;
    return { all, alerts };
  }

  fill(found, t) {
    const keep = new Set(found.map((f) => f.unicorn));
    for (const [id, { row, unicorn }] of this.rows) {
      // after a restart another one may have its number
      if (keep.has(unicorn)) continue;
      row.remove();
      this.rows.delete(id);
    }
    let before = null;
    for (const f of found) {
      let r = this.rows.get(f.unicorn.id);
      if (!r) this.rows.set(f.unicorn.id, r = this.makeRow(f.unicorn));
      this.fillRow(r, f, t);
      // rows that are in their place are not moved: the focus stays
      const place = before ? before.nextElementSibling : this.body.firstElementChild;
      if (place !== r.row) this.body.insertBefore(r.row, place);
      before = r.row;
    }
  }

  makeRow(unicorn) {
    const { id, name } = unicorn;
    const row = element('tr'), head = element('th'), button = element('button', 'name', name);
    head.scope = 'row';
    button.type = 'button';
    button.title = name;
    button.addEventListener('click', () => this.choose(id));
    head.append(button);
    row.append(head);
    const cells = ['speed', 'health', 'magic', 'seen'].map((c) => row.appendChild(element('td', c)));
    return { unicorn, row, cells, button };
  }

  fillRow({ row, cells, button }, { unicorn, point, alert }, t) {
    const { fleet } = this;
    const set = (cell, text) => {
      if (cell.textContent !== text) cell.textContent = text;
    };
    const watched = (cell, value) => {
      const low = fleet.isLow(value);
      cell.classList.toggle('low', low);
      set(cell, low ? `${value} low` : number(value ?? null));
    };
    row.classList.toggle('alert', alert);
    row.classList.toggle('chosen', unicorn.id === this.chosen);
    button.setAttribute('aria-pressed', unicorn.id === this.chosen);
    set(cells[0], point.speed === null ? '–' : point.speed.toFixed(1));
    cells[0].title = speed(point.speed);
    watched(cells[1], point.health);
    watched(cells[2], point.magic);
    set(cells[3], shortAgo(t - point.seen));
  }
}
