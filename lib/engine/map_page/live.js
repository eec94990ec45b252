// The stream of changes, opened again whenever it breaks. What it brings is described in lib/engine/map_viewer.h.

const FIRST_MS = 1000, LONGEST_MS = 10000;

// Calls on.hello(settings), on.changes(entries, now) and on.state(name, text).
export function connect(on) {
  let source, wait = FIRST_MS;

  function open() {
    source = new EventSource('live');
    source.addEventListener('hello', (e) => {
      wait = FIRST_MS;
      on.state('live', 'Live');
      on.hello(JSON.parse(e.data));
    });
    source.addEventListener('changes', (e) => {
      const { now, changes } = JSON.parse(e.data);
      on.changes(changes, now);
    });
    source.addEventListener('bye', () => again('ended', 'The lines have ended'));
    source.addEventListener('error', () => {
      // the browser tries again by itself unless the answer was a refusal
      if (source.readyState === EventSource.CLOSED) refused();
      else on.state('lost', 'Connection lost, trying again');
    });
  }

  function again(name, text) {
    source.close();
    on.state(name, text);
    setTimeout(open, wait);
    wait = Math.min(wait * 2, LONGEST_MS);
  }

  // Why: a request that needs the cookie, and no place among the viewers, tells.
  async function refused() {
    let status = 0;
    try {
      status = (await fetch('unicorn?id=0', { cache: 'no-store' })).status;
    } catch {
      // it cannot be reached at all
    }
    if (status === 401) again('refused', 'Not allowed: open the address that ryde-map printed');
    else if (status === 403) again('refused', 'Not allowed under this name (--host)');
    else if (status === 404) again('full', '64 viewers are looking already, waiting for a place');
    else again('lost', 'Connection lost, trying again');
  }

  on.state('connecting', 'Connecting');
  open();
}
