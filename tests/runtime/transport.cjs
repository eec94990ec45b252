// Stands in for the compiled transport of AWS's Node runtime interface client (rapid-client.node), which is libcurl's
// three requests: node --require runs this first. Everything else of the client is AWS's own.
const http = require('http');
const Module = require('module');

const [host, port] = (process.env.AWS_LAMBDA_RUNTIME_API || '').split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
let before = Promise.resolve();

function request(method, path, body, headers) {
  return new Promise((resolve, reject) => {
    const options = { host, port, agent, method, headers, path: '/2018-06-01/runtime/invocation/' + path };
    const made = http.request(options, (response) => {
      let data = '';
      response.setEncoding('utf-8').on('data', (chunk) => { data += chunk; });
      response.on('end', () => resolve({ bodyJson: data, headers: response.headers })).on('error', reject);
    });
    made.on('error', reject).end(body);
  });
}

function post(path, body, headers) {
  before = before.then(() => request('POST', path, body, headers));
}

Module._extensions['.node'] = (module) => {
  module.exports = {
    initializeClient() {},
    next: () => before.then(() => request('GET', 'next')),
    done: (id, body) => post(id + '/response', body, {}),
    error: (id, body) => post(id + '/error', body, { 'Lambda-Runtime-Function-Error-Type': 'Unhandled' }),
  };
};
