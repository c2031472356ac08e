// A server of one kind. Its first line is `listening ADDRESS`; then it tells of
// errors, and of what its clients sent.
//
//   node node_server.js KIND [PATH]
'use strict';
const crypto = require('crypto');
const net = require('net');

const kinds = {
  'echo': (socket) => socket.pipe(socket),
  'reset': (socket) => socket.on('data', () => socket.resetAndDestroy()),
  // Answers with a checksum, after the client's end.
  'answer': (socket) => {
    const hash = crypto.createHash('sha256');
    socket.on('data', (bytes) => hash.update(bytes));
    socket.on('end', () => socket.end(hash.digest('hex')));
  },
  // Ends first, and takes what the client sends after that.
  'end-first': (socket) => {
    const hash = crypto.createHash('sha256');
    socket.end('your turn');
    socket.on('data', (bytes) => hash.update(bytes));
    socket.on('end', () => console.log('received', hash.digest('hex')));
  },
};

const [kind, path] = process.argv.slice(2);
const server = net.createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', (error) => console.log('error', error.code));
  kinds[kind](socket);
});
server.listen(path ? { path } : { host: '127.0.0.1', port: 0 }, () => {
  console.log('listening', path ?? server.address().port);
});
