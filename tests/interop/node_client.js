// Like client.cc: sends what it reads on stdin, then FIN. stdout: what it
// received; stderr: the events.
//
//   node node_client.js ADDRESS [MODE]
'use strict';
const net = require('net');

const [address, mode] = process.argv.slice(2);
const socket = net.connect(/^\d+$/.test(address) ?
  { host: '127.0.0.1', port: Number(address) } : { path: address });
const modes = {
  // Looks at no answer before its own end is out.
  'late': () => {
    socket.pause();
    socket.on('finish', () => socket.resume());
  },
  // In the middle of it all: both directions are full.
  'reset': () => socket.on('data', () => socket.resetAndDestroy()),
  'reset-at-once': () => socket.on('connect', () => socket.resetAndDestroy()),
};

for (const name of ['connect', 'finish', 'end']) {
  socket.on(name, () => console.error(name));
}
socket.on('error', (error) => console.error('error', error.code));
socket.on('close', (hadError) => {
  console.error(hadError ? 'close after an error' : 'close');
  process.exit();
});
socket.on('data', (bytes) => process.stdout.write(bytes));
if (mode) modes[mode]();
process.stdin.pipe(socket);
