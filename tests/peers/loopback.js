// Preloaded into the test servers: whatever they listen on, they listen on a free port of 127.0.0.1, and say
// which one it is.
const net = require('net');
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...args) {
  // a number of 0 as an option reads as "the default" to some of them
  if (args[0] !== null && typeof args[0] === 'object') args[0] = { ...args[0], host: '127.0.0.1', port: 0 };
  else if (typeof args[1] === 'string') args.splice(0, 2, 0, '127.0.0.1');
  else args.splice(0, 1, 0, '127.0.0.1');
  this.once('listening', () => {
    const file = process.env.PEER_PORT_FILE;
    if (!file) return;
    require('fs').writeFileSync(file + '.new', String(this.address().port));
    require('fs').renameSync(file + '.new', file);
  });
  return listen.apply(this, args);
};
