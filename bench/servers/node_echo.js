// An echo server with Node's own net.
'use strict';
const net = require('net');

function usage() {
  console.error('usage: node_echo.js --port N [--host ADDRESS] | --path P');
  process.exit(2);
}

const wanted = { host: '127.0.0.1', backlog: 511 };
const words = process.argv.slice(2);
for (let i = 0; i < words.length; i += 2) {
  const name = words[i], value = words[i + 1];
  if (!value || !['--port', '--host', '--path'].includes(name)) usage();
  if (name === '--port' && !(/^\d{1,5}$/.test(value) && value < 65536)) usage();
  wanted[name.slice(2)] = name === '--port' ? Number(value) : value;
}
if ((wanted.port === undefined) === (wanted.path === undefined)) usage();

const server = net.createServer((socket) => {
  socket.on('data', (bytes) => {
    if (!socket.write(bytes)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('error', () => {});
});
server.listen(wanted, () => {
  console.log('listening', wanted.path ?? server.address().port);
});
process.on('SIGTERM', () => {
  server.close();
  process.exit(0);
});
