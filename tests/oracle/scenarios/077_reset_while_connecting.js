'use strict';
// resetAndDestroy() during connect waits for the connection, then resets
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'DEST-10 CONN-2');

const srv = net.createServer((s) => {
  s.on('error', () => {});
  s.resume();
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.resetAndDestroy();
  rec('client', 'mark', 'returned', c.destroyed, c.connecting);
});
