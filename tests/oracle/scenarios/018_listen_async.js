'use strict';
// 'listening' is never emitted inside listen()
const { LO, net, rec, scenario } = require('./recorder');
scenario(
  __filename,
  'LISTEN-1 LISTEN-2 LISTEN-3 LISTEN-4 LISTEN-5 LISTEN-6 LISTEN-11 EVT-6',
);

const srv = net.createServer();
rec('server', 'before', srv.address(), srv.listening);
const r = srv.listen(0, LO, () => rec('server', 'callback'));
srv.on('listening', () => {
  const a = srv.address();
  rec('server', 'listening', a.address, a.family, a.port > 0, srv.listening);
  srv.close(() => rec('server', 'close-callback'));
  rec('server', 'mark', 'close() returned', srv.address(), srv.listening);
});
srv.on('close', () => rec('server', 'close'));
rec('server', 'mark', 'listen() returned', r === srv);
