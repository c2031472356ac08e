'use strict';
// both sides end() at once
const { LO, net, scenario, watch } = require('./recorder');
scenario(__filename, 'END-9 CLOSE-4 HALF-1');

const srv = net.createServer((s) => {
  watch('server_socket', s, { connect: false });
  s.end('from server');
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.end('from client');
});
