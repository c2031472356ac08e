'use strict';
// a closed server can listen again
const { LO, net, rec, scenario, watch_server } = require('./recorder');
scenario(__filename, 'LISTEN-10 LISTEN-6 SCLOSE-1');

const srv = watch_server(
  'server',
  net.createServer((s) => s.end('x')),
);
let n = 0;
srv.on('listening', () => {
  const c = net.connect(srv.address().port, LO);
  c.resume();
  c.on('close', () => srv.close());
});
srv.on('close', () => {
  if (++n < 2) {
    srv.listen(0, LO, () => rec('server', 'callback2'));
    rec('server', 'mark', 'listen() returned');
  }
});
srv.listen(0, LO);
