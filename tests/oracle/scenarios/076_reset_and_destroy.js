'use strict';
// resetAndDestroy(): clean close locally, ECONNRESET at the peer
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'DEST-9 ERR-2 CLOSE-2 ERR-4');

const srv = net.createServer((s) => {
  watch('server_socket', s, { connect: false });
  s.on('data', () => {
    s.resetAndDestroy();
    rec('server_socket', 'mark', 'returned', s.destroyed);
  });
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.on('error', (e) => rec('client', 'syscall', e.syscall));
  c.on('connect', () => c.write('x'));
});
