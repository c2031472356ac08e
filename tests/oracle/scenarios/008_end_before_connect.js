'use strict';
// end(data) before the connection is up still connects, sends and half-closes
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'END-3 END-1 WRITE-1 END-4');

const srv = net.createServer((s) =>
  watch('server_socket', s, { connect: false }).on('close', () => srv.close()),
);
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.end('bye', () => rec('client', 'end-callback'));
  rec('client', 'mark', 'end() returned', c.writable, c.connecting);
});
