// The two ends of TLS in Node; stdout: what the client received.
//
//   node tls_node.js server FOLDER          echoes; the first line says where
//   node tls_node.js client FOLDER PORT     sends what it reads on stdin
'use strict';
const fs = require('fs');
const tls = require('tls');

const [role, folder, port] = process.argv.slice(2);
const file = (name) => fs.readFileSync(`${folder}/${name}.pem`);

if (role === 'server') {
  const server = tls.createServer({
    key: file('server-key'), cert: file('server-cert'), allowHalfOpen: true,
  }, (socket) => socket.pipe(socket));
  server.listen({ host: '127.0.0.1', port: 0 }, () => {
    console.log('listening', server.address().port);
  });
} else {
  const socket = tls.connect({
    host: '127.0.0.1', port: Number(port), ca: file('ca-cert'),
    allowHalfOpen: true,
  });
  socket.on('secureConnect', () => console.error('authorized', socket.authorized));
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
}
