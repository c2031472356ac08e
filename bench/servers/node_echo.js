// An echo server with Node's own net; with --cert and --key, its tls.
'use strict';
const fs = require('fs');
const net = require('net');
const tls = require('tls');

function usage() {
  console.error('usage: node_echo.js --port N [--host ADDRESS] | --path P ' +
    '[--cert FILE --key FILE]');
  process.exit(2);
}

const wanted = { host: '127.0.0.1', backlog: 511 };
const words = process.argv.slice(2);
for (let i = 0; i < words.length; i += 2) {
  const name = words[i], value = words[i + 1];
  if (!value || !/^--(port|host|path|cert|key)$/.test(name)) usage();
  if (name === '--port' && !(/^\d{1,5}$/.test(value) && value < 65536)) usage();
  wanted[name.slice(2)] = name === '--port' ? Number(value) : value;
}
if ((wanted.port === undefined) === (wanted.path === undefined)) usage();

const echo = (socket) => {
  socket.on('data', (bytes) => {
    if (!socket.write(bytes)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
  socket.on('error', () => {});
};
const server = !wanted.cert ? net.createServer(echo) : tls.createServer(
  { cert: fs.readFileSync(wanted.cert), key: fs.readFileSync(wanted.key) }, echo);
server.listen(wanted, () => {
  console.log('listening', wanted.path ?? server.address().port);
});
process.on('SIGTERM', () => {
  server.close();
  process.exit(0);
});
